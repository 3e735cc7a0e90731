/** One run on the page: its question, numbers, thinking and answer, live or recorded. */

import {button, download, el} from "./dom.js";
import {legend, signalsLegend} from "./legend.js";
import {typeset} from "./math.js";
import {Meters} from "./meters.js";
import {addTokens, handoversOf, questionOf, tokensOf} from "./run.js";
import {Transcript} from "./transcript.js";
import {absence, ending, inShort, settings} from "./words.js";
import {WhatIf} from "./whatif.js";

const HEADING = 160; // characters of a question in the heading
const TICK = 250; // milliseconds between updates of the clock
const TOLD_EVERY = 20_000; // milliseconds between what a screen reader hears of a long run

export class RunView {
  /**
   * `titles` are methods' titles by name. `decide(trace, method)` gives Python's decisions, as a
   * promise. `link(trace id)` gives an address for a stored run, or null.
   */
  constructor({ titles, decide, link = () => null }) {
    this.titles = titles;
    this.decide = decide;
    this.link = link;
    this.thresholds = {};
    this.trace = null;
    this.totals = { ...tokensOf([]), handovers: 0, seconds: 0, usd: null };
    this.transcript = new Transcript(this);
    this.meters = new Meters();
    this.question = el("h2", { class: "question" });
    this.whole = el("div");
    this.about = el("p", { class: "about" });
    this.tools = el("div", { class: "tools" });
    this.panel = el("div");
    this.answer = el("div", { class: "text" });
    this.answering = el(
      "section",
      { class: "answer", hidden: true },
      el("h3", {}, "Answer"),
      this.answer,
    );
    this.notes = el("div", { class: "notes" });
    this.status = el("p", { class: "hidden", role: "status" });
    this.signals = button("Signals", () => this.toggleSignals(), { "aria-pressed": "false" });
    this.tools.append(this.signals);
    this.element = el(
      "article",
      { class: "run" },
      this.question,
      this.whole,
      this.about,
      this.meters.element,
      legend(),
      this.tools,
      signalsLegend(),
      this.panel,
      this.transcript.element,
      this.notes,
      this.answering,
      this.status,
    );
  }

  /** The method's name for people. */
  get title() {
    return this.titles[this.method] ?? this.method;
  }

  head(question, method) {
    const words = question.replace(/\s+/g, " ").trim();
    const isLong = words.length > HEADING;
    this.question.textContent = isLong ? `${words.slice(0, HEADING)}…` : words;
    this.whole.replaceChildren(
      ...(isLong || question.trim().includes("\n")
        ? [
            el(
              "details",
              {},
              el("summary", {}, "The whole question"),
              el("p", { class: "asked" }, question.trim()),
            ),
          ]
        : []),
    );
    this.method = method;
    this.about.textContent = [this.title, settings(method, this.thresholds)]
      .filter(Boolean)
      .join(" · ");
    this.element.setAttribute("aria-label", `Run by ${this.title}`);
    this.transcript.element.setAttribute("aria-label", `Thinking, ${this.title}`);
    this.answering.setAttribute("aria-label", `Answer, ${this.title}`);
  }

  /** A run begins now; `stop` ends it. */
  begin(question, method, stop) {
    this.head(question, method);
    this.stopper = button("Stop", stop, { class: "stop" });
    this.tools.prepend(this.stopper);
    this.stopper.focus({ preventScroll: true });
    this.asked = question;
    this.began = performance.now();
    this.toldAt = this.began;
    this.clock = setInterval(() => this.tick(), TICK);
    this.transcript.setLive(true);
    this.say("The question was sent.");
  }

  /** A chunk of a chat completion's stream. */
  take(chunk) {
    const own = chunk.trigreason;
    if (own?.event) this.happen(own.event);
    for (const { delta } of chunk.choices ?? []) {
      if (delta.reasoning_content) this.transcript.write(delta.reasoning_content);
      if (delta.content) this.answerMore(delta.content);
    }
    if (own && !own.event) this.finish(own);
  }

  happen(event) {
    const { transcript } = this;
    switch (event.type) {
      case "run_begun":
        this.thresholds = event.thresholds;
        this.inTheOpen = event.in_the_open;
        this.head(this.asked, event.method);
        break;
      case "step_begun":
        transcript.begin(event.author, event.trigger);
        break;
      case "step_accepted":
        addTokens(this.totals, transcript.end({ ...event, standing: true, trigger: undefined }));
        break;
      case "draft_dropped":
        addTokens(this.totals, transcript.end({ ...event, standing: false, trigger: undefined }));
        break;
      case "handed_over":
        if (event.trigger) this.totals.handovers += 1;
        this.totals.usd = event.usd;
        transcript.handover(event);
        break;
      case "went_on_alone":
        transcript.note(`A model is not available. The ${event.author.toUpperCase()} goes on alone.`);
        break;
    }
  }

  answerMore(text) {
    if (this.inTheOpen) {
      this.transcript.write(text);
      return;
    }
    if (this.answering.hidden) {
      this.transcript.drop();
      this.answering.hidden = false;
    }
    this.answer.append(text);
  }

  tick() {
    const now = performance.now();
    this.totals.seconds = (now - this.began) / 1000;
    this.meters.update(this.totals);
    if (now - this.toldAt > TOLD_EVERY) {
      this.toldAt = now;
      this.say(`So far ${this.summary()}`);
    }
  }

  /** The run is over; `account` is the `trigreason` object of the last chunk. */
  finish(account) {
    this.rest();
    this.totals.seconds = account.seconds ?? this.totals.seconds;
    this.totals.usd = account.usd;
    this.totals.isEstimate = account.usd_is_estimate;
    this.id = account.trace_id;
    this.trace = account.trace ?? null;
    this.meters.update(this.totals);
    const text = this.inTheOpen ? (this.trace?.answer ?? "") : this.answer.textContent;
    this.close(text, account.stop, account.limit, account.degraded);
    this.say(`The answer is here. ${this.summary()}`);
  }

  /** The reader stopped the run. */
  stopped() {
    this.rest();
    this.note("Stopped. The models were told to stop, too.");
    this.say("Stopped.");
  }

  /** The run ended with an error. */
  fail(message) {
    this.rest();
    this.note(message, "error");
    this.say(`The run failed. ${message}`);
  }

  rest() {
    clearInterval(this.clock);
    this.isOver = true;
    if (document.activeElement === this.stopper) this.signals.focus({ preventScroll: true });
    this.stopper.remove();
    this.transcript.breakOff();
    this.transcript.setLive(false);
    this.tick();
  }

  /** A recorded run, all at once. `more` may have its `id`. */
  show(trace, more = {}) {
    this.trace = trace;
    this.id = more.id;
    this.thresholds = trace.thresholds;
    this.inTheOpen = trace.in_the_open ?? false;
    this.head(questionOf(trace), trace.method);
    const handovers = handoversOf(trace);
    trace.steps.forEach((step, index) => {
      if (handovers.has(index)) this.transcript.handover(handovers.get(index));
      this.transcript.end(step);
    });
    this.transcript.flush();
    const given = [...handovers.values()].filter((handover) => handover.trigger !== null);
    this.totals = {
      ...tokensOf(trace.steps),
      handovers: given.length,
      seconds: trace.seconds,
      usd: trace.totals?.usd,
    };
    this.meters.update(this.totals);
    this.close(trace.answer, trace.stop, trace.limit, trace.degraded);
  }

  /** The answer typeset, what there is to say about the end, and what can be done with the run. */
  close(answer, stop, limit, degraded) {
    if (answer) {
      this.answering.hidden = false;
      this.answer.replaceChildren(typeset(answer));
    }
    for (const note of [ending(stop, limit), absence(degraded)]) if (note) this.note(note);
    if (!this.trace) return;
    const methods = Object.entries(this.titles);
    const panel = new WhatIf(this.transcript, this.trace, methods, (method) =>
      this.decide(this.trace, method),
    );
    this.panel.replaceChildren(panel.element);
    const opener = button("What if", () => {
      const isShown = opener.getAttribute("aria-expanded") === "false";
      opener.setAttribute("aria-expanded", String(isShown));
      panel.show(isShown);
    });
    opener.setAttribute("aria-expanded", "false");
    const save = () => download(`${this.id ?? "trace"}.json`, JSON.stringify(this.trace));
    this.tools.append(opener, button("Save the trace", save));
    const address = this.id && this.link(this.id);
    if (address) this.tools.append(el("a", { href: address }, "Link to this run"));
  }

  toggleSignals() {
    const isOn = this.signals.getAttribute("aria-pressed") === "false";
    this.signals.setAttribute("aria-pressed", String(isOn));
    this.element.classList.toggle("with-signals", isOn);
    this.transcript.setSignals(isOn);
  }

  summary() {
    const { srm, lrm, drafts } = this.totals;
    const thinking = srm + lrm;
    return inShort({ thinking, smt: thinking ? srm / thinking : null, drafts });
  }

  note(text, kind = "note") {
    this.notes.append(el("p", { class: kind, role: kind === "error" ? "alert" : null }, text));
  }

  say(text) {
    this.status.textContent = text;
  }
}
