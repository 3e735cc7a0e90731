/**
 * What if: the recorded steps under other thresholds, or by another method. A moved threshold of
 * TrigReason is decided here and now (decide.js); other methods' decisions are Python's.
 */

import {firings} from "./decide.js";
import {el, freshId} from "./dom.js";
import {thresholdField} from "./fields.js";
import {count, counted} from "./numbers.js";

const MOVED = ["rho", "direction", "tau", "k", "m"];

/**
 * What was decided after each step of the SRM, as { falls, hands }: whether the step is thrown
 * away, and whether the LRM writes next. Null after other steps, and where the record ends.
 */
export function recordedOutcomes(steps) {
  return steps.map((step, index) => {
    if (step.author !== "srm" || step.end === "cut_off") return null;
    const next = steps[index + 1];
    if (!step.standing) return { falls: true, hands: true };
    return next ? { falls: false, hands: next.author === "lrm" } : null;
  });
}

/** The same by TrigReason under these thresholds. A repetition stays as it was recorded. */
export function movedOutcomes(steps, thresholds) {
  const fired = firings(steps, thresholds);
  return steps.map((step, index) => {
    if (step.author !== "srm" || step.end === "cut_off") return null;
    const repeats = steps[index + 1]?.trigger === "repetition" && step.standing;
    const falls = fired[index] === "cognitive_offload";
    return { falls, hands: fired[index] !== null || repeats, trigger: fired[index] };
  });
}

/** The same from decisions that Python made. `isUnknown`: it asks for a rating that is missing. */
export function decidedOutcomes(steps, decisions) {
  const after = new Map(decisions.map((each) => [each.step, each]));
  return steps.map((step, index) => {
    const decided = after.get(index);
    if (step.author !== "srm" || !decided) return null;
    const isUnknown = ["judge", "reward"].includes(decided.decision);
    const falls = decided.decision === "rewrite";
    return { falls, hands: decided.author === "lrm" && !isUnknown, isUnknown };
  });
}

/** What would be different after a step; null for nothing. */
export function difference(then, now) {
  if (!then || !now || now.isUnknown) return null;
  if (then.falls !== now.falls) return now.falls ? "would be thrown away" : "would stand";
  if (then.hands === now.hands) return null;
  return now.hands ? "the LRM would write next" : "the SRM would go on";
}

export class WhatIf {
  /** `decide` gives Python's decisions of a method, as a promise; `methods` are [name, title]. */
  constructor(transcript, trace, methods, decide) {
    this.transcript = transcript;
    this.trace = trace;
    this.decide = decide;
    this.thresholds = { ...trace.thresholds };
    this.outcome = el("p", { class: "outcome" });
    this.fields = el("div", { class: "fields" });
    this.element = el("section", { class: "whatif", "aria-label": "What if", hidden: true });
    const id = freshId("by");
    this.method = el("select", { id, on: { change: () => this.decideAgain() } });
    for (const [name, title] of methods) this.method.append(el("option", { value: name }, title));
    this.method.value = methods.some(([name]) => name === trace.method) ? trace.method : "trigreason";
    const by = el("div", { class: "field" }, el("label", { for: id }, "Method"), this.method);
    const reset = el("button", { type: "button", on: { click: () => this.reset() } }, "As recorded");
    this.announced = el("p", { class: "hidden", role: "status" });
    this.element.append(
      el("div", { class: "row" }, by, reset),
      this.fields,
      this.outcome,
      el(
        "p",
        { class: "hint" },
        "Each step of the SRM is judged as it was written. What the models would have written " +
          "after the first difference is unknown.",
      ),
      this.announced,
    );
    this.then = recordedOutcomes(transcript.steps);
    this.notes = new Map();
    this.showFields();
  }

  /** Open or close the panel; closed, the transcript is as it was recorded. */
  show(isShown) {
    this.element.hidden = !isShown;
    if (isShown) this.decideAgain();
    else this.mark([]);
  }

  reset() {
    this.thresholds = { ...this.trace.thresholds };
    this.showFields();
    this.decideAgain();
  }

  showFields() {
    const moved = MOVED.map((name) =>
      thresholdField(name, this.trace.thresholds[name], (value) => {
        this.thresholds[name] = value;
        this.decideAgain();
      }),
    );
    this.fields.replaceChildren(...moved);
  }

  async decideAgain() {
    const method = this.method.value;
    this.fields.hidden = method !== "trigreason";
    if (method === "trigreason") {
      this.tell(movedOutcomes(this.transcript.steps, this.thresholds));
      return;
    }
    this.outcome.textContent = "Deciding …";
    try {
      const decisions = await this.decide(method);
      if (this.method.value !== method) return;
      this.tell(decidedOutcomes(this.transcript.steps, decisions));
    } catch (error) {
      this.mark([]);
      this.outcome.textContent = error.message;
    }
  }

  /** Mark the steps that would go another way, and count them. */
  tell(now) {
    const differences = now.map((outcome, index) => difference(this.then[index], outcome));
    this.mark(differences);
    const judged = now.filter((outcome, index) => outcome && this.then[index]);
    this.outcome.textContent = inWords(judged, differences.filter(Boolean));
    clearTimeout(this.waiting);
    this.waiting = setTimeout(() => {
      this.announced.textContent = this.outcome.textContent;
    }, 700);
  }

  mark(differences) {
    this.transcript.items.forEach((item, index) => {
      const text = differences[index] ?? null;
      const old = this.notes.get(index);
      if (!item || text === (old?.textContent ?? null)) return;
      old?.remove();
      this.notes.delete(index);
      item.classList.toggle("other", text !== null);
      if (text === null) return;
      const note = el("div", { class: "would" }, text);
      item.querySelector(".body").append(note);
      this.notes.set(index, note);
    });
  }
}

/** How many of the `judged` steps would go another way, by what would be different. */
function inWords(judged, changed) {
  if (!judged.length) return "The SRM wrote no step in this run, so there is nothing to decide on.";
  const unknown = judged.filter(({ isUnknown }) => isUnknown).length;
  const steps = counted(judged.length, "step");
  if (unknown === judged.length) {
    return `This method would need a rating of each of the SRM's ${steps}; none is recorded.`;
  }
  const kinds = [...new Set(changed)].map((kind) => {
    const many = changed.filter((each) => each === kind).length;
    return kind.startsWith("the ") ? `after ${count(many)} ${kind}` : `${count(many)} ${kind}`;
  });
  const told = kinds.length ? `: ${kinds.join(", ")}` : "";
  const missing = unknown ? ` ${counted(unknown, "step")} would need a rating.` : "";
  return `${count(changed.length)} of the SRM's ${steps} would go another way${told}.${missing}`;
}
