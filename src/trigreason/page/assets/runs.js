/** The list of runs: of this tab, from files, and those that the gateway keeps. */

import {getJson} from "./client.js";
import {comparison} from "./compare.js";
import {button, el} from "./dom.js";
import {count, seconds, usd} from "./numbers.js";
import {questionOf, tokensOf, traceOf} from "./run.js";

const MOST = 2; // runs side by side
const WORDS = 90; // characters of a question in the list
const HEADS = ["Question", "Method", "Tokens", "Time", "Cost", "From"];
const byId = (id) => document.getElementById(id);

export class Runs {
  /** `makeView()` makes a RunView; `titles()` are methods' titles; `onProblem` tells an error. */
  constructor(makeView, titles, onProblem) {
    this.makeView = makeView;
    this.titles = titles;
    this.onProblem = onProblem;
    this.here = [];
    this.stored = [];
    this.chosen = new Set();
    byId("files").addEventListener("change", (event) => this.open([...event.target.files]));
    document.addEventListener("dragover", (event) => {
      event.preventDefault();
      byId("drop").classList.add("over");
    });
    document.addEventListener("dragleave", () => byId("drop").classList.remove("over"));
    document.addEventListener("drop", (event) => {
      event.preventDefault();
      byId("drop").classList.remove("over");
      this.open([...event.dataTransfer.files]);
    });
  }

  /** A run of this tab is over. */
  add(trace, id, source = "asked here") {
    const tokens = tokensOf(trace.steps);
    this.here.unshift({
      id,
      trace,
      source,
      question: questionOf(trace),
      method: trace.method,
      tokens: tokens.srm + tokens.lrm,
      seconds: trace.seconds,
      usd: trace.totals?.usd,
    });
  }

  /** Read trace files and show them: one alone, two side by side. */
  async open(files) {
    const opened = [];
    const problems = [];
    for (const file of files) {
      try {
        const trace = traceOf(JSON.parse(await file.text()));
        this.add(trace, `file ${file.name} ${this.here.length}`, file.name);
        opened.push(this.here[0].id);
      } catch (error) {
        const what = error instanceof SyntaxError ? "This is no JSON." : error.message;
        problems.push(`${file.name}: ${what}`);
      }
    }
    if (opened.length) {
      this.chosen = new Set(opened.slice(0, MOST));
      if (location.hash !== "#runs") location.hash = "#runs";
      this.list();
      await this.showChosen();
    }
    this.onProblem(problems.join(" "));
  }

  /** Ask for what the gateway keeps, and list everything. */
  async refresh() {
    const kept = await getJson("/v1/traces?limit=30");
    const here = new Set(this.here.map((run) => run.id));
    this.stored = kept.data
      .filter((run) => !here.has(run.id))
      .map((run) => ({ ...run, tokens: run.reasoning_tokens, source: when(run.created) }));
    this.list();
  }

  /** Show runs by their ids: those of this tab, or of the gateway. Throws RequestFailed. */
  async show(ids) {
    const traces = await Promise.all(ids.slice(0, MOST).map((id) => this.traceOf(id)));
    const views = traces.map(() => this.makeView());
    const table = traces.length > 1 ? comparison(traces, this.titles()) : null;
    const grid = el("div", { class: traces.length > 1 ? "runs two" : "runs" });
    grid.append(...views.map((view) => view.element));
    byId("shown").replaceChildren(...[table, grid].filter(Boolean));
    views.forEach((view, index) => view.show(traces[index], { id: ids[index] }));
  }

  /** Whether a run is kept by the gateway, so that a link to it works elsewhere. */
  isStored(id) {
    return this.keeps && /^[\w.-]+$/.test(id);
  }

  async traceOf(id) {
    const here = this.here.find((run) => run.id === id);
    return here ? here.trace : traceOf(await getJson(`/v1/traces/${encodeURIComponent(id)}`));
  }

  list() {
    const rows = [...this.here, ...this.stored];
    const without = this.keeps
      ? "No run is kept yet."
      : "This gateway keeps no traces. With gateway.traces.keep = true in trigreason.toml it does.";
    if (!rows.length) {
      byId("list").replaceChildren(el("p", { class: "hint" }, without));
      return;
    }
    this.shower = button("Show", () => this.showChosen(), { class: "primary" });
    const region = { class: "wide", role: "region", tabindex: "0", "aria-label": "List of runs" };
    const table = el("div", region, this.table(rows));
    byId("list").replaceChildren(el("div", { class: "card" }, table, this.shower));
    this.tellChosen();
  }

  async showChosen() {
    this.onProblem(null);
    try {
      await this.show([...this.chosen]);
      byId("shown").scrollIntoView();
    } catch (error) {
      this.onProblem(error.message);
    }
  }

  table(rows) {
    const heads = HEADS.map((name) => el("th", { scope: "col" }, name));
    return el(
      "table",
      {},
      el("caption", { class: "hidden" }, "Runs"),
      el("thead", {}, el("tr", {}, el("td"), ...heads)),
      el("tbody", {}, ...rows.map((run) => this.row(run))),
    );
  }

  row(run) {
    const words = (run.question ?? "(a long conversation)").replace(/\s+/g, " ").trim();
    const label = words.length > WORDS ? `${words.slice(0, WORDS)}…` : words;
    const box = el("input", { type: "checkbox", "aria-label": `Choose: ${label}` });
    box.checked = this.chosen.has(run.id);
    box.addEventListener("change", () => {
      if (box.checked) this.chosen.add(run.id);
      else this.chosen.delete(run.id);
      this.tellChosen();
    });
    run.box = box;
    return el(
      "tr",
      {},
      el("td", {}, box),
      el("th", { scope: "row" }, label),
      el("td", {}, this.titles()[run.method] ?? run.method),
      el("td", { class: "number" }, count(run.tokens)),
      el("td", { class: "number" }, seconds(run.seconds)),
      el("td", { class: "number" }, usd(run.usd)),
      el("td", {}, run.source),
    );
  }

  /** At most two can be chosen. */
  tellChosen() {
    const isFull = this.chosen.size >= MOST;
    for (const { id, box } of [...this.here, ...this.stored]) {
      if (box) box.disabled = isFull && !this.chosen.has(id);
    }
    if (!this.shower) return;
    this.shower.disabled = this.chosen.size === 0;
    this.shower.textContent = isFull ? "Show side by side" : "Show";
  }
}

function when(created) {
  return new Date(1000 * created).toLocaleString(undefined, {
    dateStyle: "short",
    timeStyle: "short",
  });
}
