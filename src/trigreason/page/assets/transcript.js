/**
 * The thinking, step by step. What is written is only appended to; the DOM changes once per
 * animation frame, and a step gets its signals only when it comes into view.
 */

import {el} from "./dom.js";
import {count, counted, percent, short} from "./numbers.js";
import {painted, explainTokens} from "./signals.js";
import {TRIGGERS, meaning, why} from "./words.js";

export class Transcript {
  /** `run` has the thresholds and the method's title as soon as they are known. */
  constructor(run) {
    this.run = run;
    this.steps = [];
    this.items = [];
    this.list = el("ol", { class: "steps" });
    this.element = el(
      "div",
      { class: "scroller", role: "region", tabindex: "0", "aria-label": "Thinking" },
      this.list,
    );
    this.showsSignals = false;
    this.fresh = document.createDocumentFragment();
    this.open = null;
    this.unwritten = "";
    this.frame = 0;
    this.byItem = new WeakMap();
    this.watcher = new IntersectionObserver((entries) => this.paintSeen(entries), {
      root: this.element,
      rootMargin: "50% 0px",
    });
    explainTokens(this.list);
  }

  /** Another model takes over. */
  handover(handover) {
    if (!handover.trigger) return;
    const reason = why(handover, this.steps, this.run.thresholds, this.run.title);
    const name = TRIGGERS[handover.trigger] ?? handover.trigger;
    this.add(el("li", { class: "handover" }, el("strong", { title: meaning(name) }, `${name}: `), reason));
  }

  /** Something else that the reader must know, such as a model that stays away. */
  note(text) {
    this.add(el("li", { class: "note" }, text));
  }

  /** An author begins a step. */
  begin(author, trigger) {
    this.drop();
    const text = document.createTextNode("");
    const written = el("div", { class: "text" }, text);
    const item = el(
      "li",
      { class: `step ${author} open` },
      who(author, "writes"),
      el("div", { class: "body" }, written),
    );
    this.open = { author, trigger, item, written, text };
    this.add(item);
  }

  /** A piece of the step under way. */
  write(text) {
    this.unwritten += text;
    this.schedule();
  }

  /** The step under way is finished, as `step` says; its text is `step.text` or what was written. */
  end(step) {
    this.flushText();
    const begun = this.open ?? { trigger: null };
    const record = {
      ...step,
      trigger: step.trigger === undefined ? begun.trigger : step.trigger,
      text: step.text ?? begun.text?.data ?? "",
    };
    this.drop();
    this.steps.push(record);
    const item = record.text.trim() ? this.item(record) : null;
    this.items.push(item);
    if (item) {
      this.byItem.set(item, record);
      this.add(item);
      this.watcher.observe(item);
    }
    return record;
  }

  /** Take away the step under way: it is finished, or the run is over. */
  drop() {
    this.open?.item.remove();
    this.open = null;
    this.unwritten = "";
  }

  /** Keep what there is of the step under way, although the run was stopped in it. */
  breakOff() {
    this.flush();
    this.open?.item.classList.remove("open");
    if (this.open && !this.open.text.data.trim()) this.open.item.remove();
    this.open = null;
  }

  /** Show or hide the signals of all steps. */
  setSignals(isOn) {
    this.showsSignals = isOn;
    this.element.classList.toggle("signals", isOn);
    for (const item of this.items) {
      if (!item) continue;
      this.watcher.unobserve(item); // so that the watcher reports it anew
      this.watcher.observe(item);
    }
  }

  /** Follow the end while it is written, or stay where the reader is. */
  setLive(isLive) {
    const { element } = this;
    const fromEnd = element.scrollHeight - element.scrollTop - element.clientHeight;
    const wasLive = element.classList.contains("live");
    const offset = wasLive ? -element.scrollTop : fromEnd;
    element.classList.toggle("live", isLive);
    if (wasLive && !isLive) element.scrollTop = element.scrollHeight - element.clientHeight - offset;
  }

  /** Put everything into the document that waits for the next frame. */
  flush() {
    cancelAnimationFrame(this.frame);
    this.frame = 0;
    this.flushText();
    if (this.fresh.hasChildNodes()) this.list.append(this.fresh);
  }

  add(item) {
    this.fresh.append(item);
    this.schedule();
  }

  schedule() {
    if (!this.frame) this.frame = requestAnimationFrame(() => this.flush());
  }

  flushText() {
    if (this.unwritten && this.open) this.open.text.appendData(this.unwritten);
    this.unwritten = "";
  }

  item(step) {
    const isDraft = !step.standing;
    const text = el(isDraft ? "s" : "div", { class: "text" }, step.text.trimEnd());
    return el(
      "li",
      { class: `step ${step.author}${isDraft ? " draft" : ""}` },
      who(step.author, isDraft ? "draft" : ""),
      el("div", { class: "body" }, text),
    );
  }

  paintSeen(entries) {
    if (!this.showsSignals) return;
    for (const { isIntersecting, target } of entries) {
      if (!isIntersecting || target.dataset.painted) continue;
      target.dataset.painted = "yes";
      const step = this.byItem.get(target);
      const text = target.querySelector(".text");
      if (step.lengths.length) text.replaceChildren(painted(step, this.run.thresholds.tau));
      text.after(el("div", { class: "facts" }, ...facts(step, this.run)));
    }
  }
}

function who(author, state) {
  return el(
    "div",
    { class: "who" },
    el("span", { class: "name" }, author.toUpperCase()),
    state ? el("span", { class: "state" }, ` ${state}`) : null,
  );
}

/** What a step shows, in words; r has a bar with a mark at ρ. */
function facts(step, { thresholds }) {
  const told = [el("span", {}, counted(step.tokens, "token"))];
  if (step.ratio !== null && step.ratio !== undefined) {
    const r = `r = ${percent(step.ratio, thresholds.rho)}`;
    const bound = ` (ρ = ${percent(thresholds.rho)})`; // the LRM's steps are not compared with it
    const isCompared = step.author === "srm";
    told.push(el("span", {}, ...(isCompared ? [ratioBar(step.ratio, thresholds.rho), r, bound] : [r])));
  }
  if (step.hesitations.length) {
    told.push(el("span", {}, `hesitates: ${step.hesitations.join(", ")}`));
  }
  if (step.score !== null && step.score !== undefined) {
    told.push(el("span", {}, `scored ${short(step.score)} of 9`));
  }
  if (step.reward !== null && step.reward !== undefined) {
    told.push(el("span", {}, `rated ${short(step.reward)} of 1`));
  }
  const unknown = step.logprobs.filter((logprob) => logprob === null).length;
  if (unknown) told.push(el("span", {}, `${count(unknown)} without a probability`));
  return told;
}

function ratioBar(ratio, rho) {
  const bar = el("span", { class: "ratio", "aria-hidden": "true" }, el("i"), el("b"));
  bar.firstChild.style.width = `${100 * ratio}%`;
  bar.lastChild.style.left = `${100 * rho}%`;
  return bar;
}
