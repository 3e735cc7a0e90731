/** How to read a run. */

import {el} from "./dom.js";
import {meaning} from "./words.js";

/** Whose a step is, and what is struck through. */
export function legend() {
  return el(
    "p",
    { class: "legend" },
    el("span", { class: "key srm", title: meaning("SRM") }, "SRM"),
    " small model ",
    el("span", { class: "key lrm", title: meaning("LRM") }, "LRM"),
    " large model ",
    el("s", { title: meaning("Draft") }, "draft"),
    " thrown away ",
    el("span", { class: "key arrow" }, "↳"),
    " why the LRM writes",
  );
}

/** What the shades of the tokens and the marks mean. */
export function signalsLegend() {
  const shades = [0, 1, 2, 3, 4, 5].map((level) => el("span", { class: `t s${level}` }, "a"));
  return el(
    "p",
    { class: "legend for-signals" },
    el("span", { class: "signals", "aria-hidden": "true" }, ...shades),
    " from certain (perplexity below τ; r is their share) to improbable ",
    el("mark", {}, "hesitation"),
  );
}
