/** Inputs for thresholds: a slider and a number that move together, or a choice. */

import {el, freshId} from "./dom.js";

const DIRECTIONS = [
  ["over", "over: too sure"],
  ["under", "under: unsure"],
];

/** The thresholds that people move; the others of a method are shown as plain numbers. */
export const THRESHOLDS = {
  n: ["n, priming", "The LRM writes the first n steps.", 0, 40, 1],
  rho: ["ρ, offload", "r beyond ρ: the LRM rewrites the step. 1 is never.", 0, 1, 0.01],
  direction: ["Side of ρ", "Which side of ρ fires.", DIRECTIONS],
  tau: ["τ, certainty", "A token is certain if its perplexity is below τ.", 1, 2, 0.01],
  k: ["k, request", "So many hesitating steps in a row ask for the LRM.", 1, 8, 1],
  m: ["m, request", "The LRM then writes m steps. 0 is never.", 0, 8, 1],
  accept: ["Lowest score", "SpecReason: a step stands from this score of 9 on.", 0, 9, 0.5],
  judge_first: ["First steps", "SpecReason: the LRM writes so many steps first.", 0, 40, 1],
  delta: ["δ, lowest reward", "RSD: a step stands from this reward on.", 0, 1, 0.01],
  share: ["Share", "Random: the LRM writes each step with this probability.", 0, 1, 0.01],
  every: ["Every n-th step", "The LRM writes one step of so many.", 1, 20, 1],
  entropy: ["Entropy", "GlimpRouter: nats of the first token from which the LRM writes.", 0, 5, 0.05],
  confidence: ["Confidence", "STEER: the LRM rewrites a step that is less sure.", 0, 1, 0.01],
  risk: ["Risk", "The LRM rewrites a step that is more likely wrong.", 0, 1, 0.01],
};

/** The thresholds that a trace leaves out at these values. */
export const UNWRITTEN = { delta: 0.7 };

/** An input for the threshold called `name`; `onInput` gets its value whenever it is valid. */
export function thresholdField(name, value, onInput) {
  const [title, help, ...rest] = THRESHOLDS[name];
  const id = freshId(name);
  const label = el("label", { for: id }, title);
  const hint = el("span", { class: "hint", id: `${id}-hint` }, help);
  const shared = { id, name, "aria-describedby": `${id}-hint` };
  const inputs = Array.isArray(rest[0])
    ? [choice(shared, rest[0], value, onInput)]
    : pair(shared, title, rest, value, onInput);
  return el("div", { class: "field" }, label, el("div", { class: "inputs" }, ...inputs), hint);
}

function choice(shared, options, value, onInput) {
  const select = el("select", { ...shared, on: { change: () => onInput(select.value) } });
  for (const [key, text] of options) select.append(el("option", { value: key }, text));
  select.value = value;
  return select;
}

function pair(shared, title, [min, max, step], value, onInput) {
  const number = el("input", { ...shared, type: "number", min, step: "any", required: true });
  const slider = el("input", { type: "range", min, max, step, "aria-label": `${title}, slider` });
  if (max === 1 || shared.name === "accept") number.max = max;
  if (Number.isInteger(step)) number.step = step;
  number.value = value;
  slider.value = value;
  number.addEventListener("input", () => {
    slider.value = number.value;
    if (number.checkValidity()) onInput(number.valueAsNumber);
  });
  slider.addEventListener("input", () => {
    number.value = slider.value;
    onInput(slider.valueAsNumber);
  });
  return [slider, number];
}
