/** Asks a question, once or by two methods at a time, and shows the runs as they are written. */

import {events} from "./client.js";
import {comparison} from "./compare.js";
import {el} from "./dom.js";
import {EXAMPLES} from "./examples.js";

const byId = (id) => document.getElementById(id);

export class Ask {
  /** `makeView(id)` makes a RunView; `onRun(trace, id)` hears of each finished run. */
  constructor(settings, makeView, onRun, onKeyNeeded) {
    this.settings = settings;
    this.makeView = makeView;
    this.onRun = onRun;
    this.onKeyNeeded = onKeyNeeded;
    this.running = [];
    this.examples = 0;
    const form = byId("ask-form");
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.ask();
    });
    form.addEventListener("keydown", (event) => {
      if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) form.requestSubmit();
    });
    document.addEventListener("keydown", (event) => {
      if (event.key === "Escape" && !byId("key-dialog").open) this.stop();
    });
    byId("use-example").addEventListener("click", () => {
      byId("question").value = EXAMPLES[this.examples % EXAMPLES.length];
      this.examples += 1;
      form.requestSubmit();
    });
  }

  /** Stop what is running; the gateway then stops the models. */
  stop() {
    for (const each of this.running) each.abort();
  }

  async ask() {
    const question = byId("question").value;
    if (this.running.length || !question.trim()) return;
    const { method, beside, pair } = this.settings;
    const methods = beside ? [method, beside] : [method];
    this.running = methods.map(() => new AbortController());
    byId("submit").disabled = true;
    const seed = crypto.getRandomValues(new Uint32Array(1))[0] % 2 ** 31;
    const views = methods.map(() => this.makeView());
    const runs = el("div", { class: beside ? "runs two" : "runs" });
    runs.append(...views.map((view) => view.element));
    const table = el("div");
    byId("current").replaceChildren(runs, table);
    const asking = views.map((view, index) => {
      const asked = { model: pair.id, seed, method: methods[index], question };
      return this.run(view, asked, this.running[index]);
    });
    byId("current").scrollIntoView();
    await Promise.all(asking);
    const traces = views.map((view) => view.trace).filter(Boolean);
    if (traces.length === 2) table.append(comparison(traces, this.settings.titles));
    this.running = [];
    byId("submit").disabled = false;
  }

  async run(view, { model, seed, method, question }, stopper) {
    const body = {
      model,
      messages: [{ role: "user", content: question }],
      stream: true,
      seed,
      trigreason: this.settings.options(method),
    };
    view.begin(question, method, () => stopper.abort());
    try {
      for await (const chunk of events("/v1/chat/completions", body, stopper.signal)) {
        view.take(chunk);
      }
      if (view.isOver) this.onRun(view.trace, view.id);
      else view.fail("The connection was closed before the end.");
    } catch (error) {
      if (error.name === "AbortError") view.stopped();
      else view.fail(error.message);
      if (error.needsKey) this.onKeyNeeded(error.message);
    }
  }
}
