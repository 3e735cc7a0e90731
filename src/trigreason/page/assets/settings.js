/** What is asked, of which pair, by which method and under which thresholds: the form's state. */

import {el} from "./dom.js";
import {THRESHOLDS, UNWRITTEN, thresholdField} from "./fields.js";

const byId = (id) => document.getElementById(id);

export class Settings {
  constructor() {
    this.pairs = [];
    this.changed = new Map();
    byId("pair").addEventListener("change", () => this.choosePair());
    byId("method").addEventListener("change", () => this.showFields());
    const panel = byId("thresholds");
    panel.addEventListener("invalid", () => panel.setAttribute("open", ""), true);
    byId("as-configured").addEventListener("click", () => {
      this.changed.clear();
      this.showFields();
    });
  }

  /** The pairs that the gateway serves; what was chosen before stays chosen. */
  fill(pairs) {
    this.pairs = pairs;
    options(byId("pair"), pairs.map(({ id }) => [id, id]));
    this.choosePair();
  }

  get pair() {
    return this.pairs.find(({ id }) => id === byId("pair").value);
  }

  get method() {
    return byId("method").value;
  }

  /** The method to run beside; "" for none. */
  get beside() {
    return byId("beside").value;
  }

  /** The titles of all methods of all pairs, by name. */
  get titles() {
    const methods = this.pairs.flatMap((pair) => pair.methods);
    return Object.fromEntries(methods.map(({ id, title }) => [id, title]));
  }

  /** The `trigreason` object of a request by `method`. */
  options(method) {
    return { method, events: true, trace: true, ...Object.fromEntries(this.changed) };
  }

  choosePair() {
    const methods = this.pair.methods.map(({ id, title }) => [id, title]);
    options(byId("method"), methods, "trigreason");
    options(byId("beside"), [["", "nothing"], ...methods], "");
    this.changed.clear();
    byId("example").hidden = this.pair.id !== "bundled";
    this.showFields();
  }

  showFields() {
    const { thresholds, methods } = this.pair;
    const configured = { ...UNWRITTEN, ...thresholds };
    const used = methods.find(({ id }) => id === this.method).thresholds;
    const names = Object.keys(THRESHOLDS).filter((name) => used.includes(name));
    const fields = names.map((name) =>
      thresholdField(name, this.changed.get(name) ?? configured[name], (value) => {
        if (value === configured[name]) this.changed.delete(name);
        else this.changed.set(name, value);
        this.tellChanged();
      }),
    );
    const none = el("p", { class: "hint" }, "This method has none.");
    byId("fields").replaceChildren(...(fields.length ? fields : [none]));
    this.tellChanged();
  }

  tellChanged() {
    const told = [...this.changed].map(([name, value]) => `${name} = ${value}`);
    byId("changed").textContent = told.length ? `changed: ${told.join(", ")}` : "as configured";
  }
}

/** Put options into a select, and keep its choice if there still is such an option. */
function options(select, entries, preferred) {
  const before = select.value || preferred;
  select.replaceChildren(...entries.map(([value, text]) => el("option", { value }, text)));
  const values = entries.map(([value]) => value);
  select.value = [before, preferred, values[0]].find((value) => values.includes(value));
}
