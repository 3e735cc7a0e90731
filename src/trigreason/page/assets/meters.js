/** Who wrote how much, and what it took: a bar and a few numbers. */

import {el} from "./dom.js";
import {count, percent, seconds, usd} from "./numbers.js";

const NUMBERS = [
  ["tokens", "Thinking tokens", "Tokens of the steps that stand, by both models."],
  ["smt", "By the SRM", "SMT: the share of the thinking's tokens that the SRM wrote."],
  ["drafts", "Drafts", "SRM steps that were thrown away, and their tokens."],
  ["handovers", "Handovers", "How often the LRM was asked to write."],
  ["seconds", "Time", "From the question to now, or to the answer."],
  ["usd", "Cost", "In USD, by the prices in the configuration; “–” without prices."],
];

const LEAST = 0.25; // a smaller part of the bar has no room for its name

export class Meters {
  constructor() {
    this.srm = el("div", { class: "srm" });
    this.lrm = el("div", { class: "lrm" });
    this.bar = el("div", { class: "bar", role: "img", "aria-label": "Nobody has written yet" });
    this.bar.append(this.srm, this.lrm);
    this.values = Object.fromEntries(NUMBERS.map(([name]) => [name, el("dd", {}, "–")]));
    const rows = NUMBERS.map(([name, title, help]) =>
      el("div", { title: help }, el("dt", {}, title), this.values[name]),
    );
    this.element = el("div", { class: "meters" }, this.bar, el("dl", {}, ...rows));
  }

  /** Show sums as `tokensOf` makes them, with `handovers`, `seconds`, `usd` and `isEstimate`. */
  update(totals) {
    const thinking = totals.srm + totals.lrm;
    if (thinking) {
      this.srm.style.flexGrow = totals.srm;
      this.lrm.style.flexGrow = totals.lrm;
      const [srm, lrm] = [totals.srm, totals.lrm].map((part) => percent(part / thinking));
      this.bar.setAttribute("aria-label", `The SRM wrote ${srm}, the LRM ${lrm} of the thinking`);
      this.srm.textContent = totals.srm / thinking > LEAST ? `SRM ${srm}` : "";
      this.lrm.textContent = totals.lrm / thinking > LEAST ? `LRM ${lrm}` : "";
      this.set("smt", srm);
    }
    this.set("tokens", count(thinking));
    const drafts = totals.drafts ? ` (${count(totals.draftTokens)} tokens)` : "";
    this.set("drafts", `${count(totals.drafts)}${drafts}`);
    this.set("handovers", count(totals.handovers));
    this.set("seconds", seconds(totals.seconds));
    this.set("usd", usd(totals.usd, totals.isEstimate));
  }

  set(name, text) {
    const node = this.values[name];
    if (node.textContent !== text) node.textContent = text;
  }
}
