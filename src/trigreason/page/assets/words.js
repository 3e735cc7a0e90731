/** What happened in a run, in sentences with its numbers. */

import {UNWRITTEN} from "./fields.js";
import {count, counted, percent, short} from "./numbers.js";

/** The reasons for a handover, by the name that a trace gives them. */
export const TRIGGERS = {
  strategic_priming: "Strategic priming",
  cognitive_offload: "Cognitive offload",
  intervention_request: "Intervention request",
  judge_rejection: "Judge's rejection",
  low_reward: "Low reward",
  repetition: "Repetition",
  method: "The method's own rule",
};

/** What the models do, in a sentence. */
export const LEAD =
  "A small reasoning model (SRM) and a large one (LRM) write one chain of thought together: the " +
  "small one writes most of it, and the large one only where it is needed.";

/** The terms that the page uses, and what they mean. */
export const GLOSSARY = [
  ["SRM", "The small reasoning model. It is fast and cheap and writes most of the thinking."],
  ["LRM", "The large reasoning model. It is slower and better, and it is asked only where it matters."],
  ["Step", "A piece of the thinking, up to a blank line."],
  ["Handover", "The other model goes on writing the same chain of thought."],
  ["Draft", "A step of the SRM that was thrown away, because the LRM was to write it instead."],
  ["Strategic priming", "The LRM writes the first n steps, so that the thinking begins well."],
  [
    "Cognitive offload",
    "r is the share of a step's tokens that the SRM was sure of (their perplexity is below τ). " +
      "If r is beyond ρ, the LRM rewrites the step. The paper's side is over: a small model that " +
      "is sure of nearly every token is often wrong.",
  ],
  [
    "Intervention request",
    "Words such as “wait” or “maybe” are hesitation. After k hesitating steps in a row the LRM " +
      "writes m steps.",
  ],
  ["SMT", "The share of the final thinking's tokens that the SRM wrote."],
];

/** What a term of the glossary means; undefined if it is none. */
export function meaning(term) {
  return GLOSSARY.find(([name]) => name === term)?.[1];
}

/**
 * Why another model writes now. `handover` has `writer`, `trigger` and `steps`; `before` are the
 * steps until then, drafts included.
 */
export function why(handover, before, thresholds, method) {
  const last = before.at(-1);
  const steps = counted(handover.steps ?? 1, "step");
  switch (handover.trigger) {
    case "strategic_priming":
      return `The LRM writes the first ${handover.steps === 1 ? "step" : steps}.`;
    case "cognitive_offload":
      return last?.ratio == null
        ? "The LRM rewrites the step."
        : `${sureness(last, thresholds)} The LRM rewrites the step.`;
    case "intervention_request":
      return `${hesitation(before, thresholds.k)} The LRM writes ${steps}.`;
    case "repetition":
      return `The SRM repeats itself. The LRM writes ${steps}.`;
    case "judge_rejection":
      return `The LRM scored the step ${short(last?.score ?? 0)} of 9, and steps stand from ` +
        `${short(thresholds.accept)}. The LRM rewrites it.`;
    case "low_reward":
      return `The scorer rated the step ${short(last?.reward ?? 0)} of 1, and steps stand from ` +
        `${short(thresholds.delta ?? UNWRITTEN.delta)}. The LRM rewrites it.`;
    case "method":
      return handover.steps ? `${method} has the LRM write ${steps}.` : `${method} asks for the LRM.`;
    default:
      return handover.writer === "srm" ? "The SRM goes on." : "The LRM goes on.";
  }
}

/** A step's r compared with ρ, as a sentence about the SRM. */
export function sureness(step, thresholds) {
  const share = percent(step.ratio, thresholds.rho);
  const known = step.logprobs.filter((each) => each !== null).length;
  const tokens = known ? `the step's ${counted(known, "token")}` : "the step's tokens";
  const side =
    thresholds.direction === "under"
      ? `The SRM is unsure: only ${share} of ${tokens}`
      : `The SRM is too sure: ${share} of ${tokens}`;
  const relation = thresholds.direction === "under" ? "less" : "more";
  return `${side} have a perplexity below τ = ${short(thresholds.tau)}, ${relation} than ` +
    `ρ = ${percent(thresholds.rho)}.`;
}

/** The last k hesitating steps of the SRM, and the words that gave them away. */
export function hesitation(before, k) {
  const steps = before.filter(
    (step) => step.standing && step.author === "srm" && step.text.trim() !== "",
  );
  const found = [...new Set(steps.slice(-k).flatMap((step) => step.hesitations))];
  const quoted = found.slice(0, 4).map((word) => `“${word}”`).join(", ");
  const words = found.length > 4 ? `${quoted}, …` : quoted;
  return k > 1
    ? `The SRM hesitated in ${k} steps in a row (${words}).`
    : `The SRM hesitated (${words}).`;
}

/** How a run ended; null for a regular end. */
export function ending(stop, limit) {
  if (stop === "complete" || stop === "stop_string") return null;
  if (stop === "empty") return "The models ended their turns without an answer.";
  if (stop === "failed") return "The run failed.";
  if (stop === null || stop === undefined) return "The run did not come to its end.";
  if (limit === "repetition") {
    return "The models repeated themselves, so the thinking was closed for them.";
  }
  const reached = limit ? ` (${limit.replaceAll("_", " ")})` : "";
  return stop === "closed"
    ? `The thinking was closed for the models at a limit${reached}.`
    : `The run was cut off at a limit${reached} before the answer was finished.`;
}

/** Which model stayed away; null for a run that had both. */
export function absence(degraded) {
  if (!degraded) return null;
  const away = degraded.author ? degraded.author.toUpperCase() : "scorer";
  const alone = degraded.author === "lrm" ? "SRM" : "LRM";
  return `The ${away} was not available from step ${degraded.step + 1} on (${degraded.reason}). ` +
    `The ${alone} went on alone.`;
}

/** A method's thresholds that people move, as "ρ = 0.85, τ = 1.05". */
export function settings(method, thresholds) {
  if (method !== "trigreason") return "";
  const side = thresholds.direction === "under" ? "r < ρ" : "r > ρ";
  return `n = ${thresholds.n}, τ = ${short(thresholds.tau)}, ρ = ${short(thresholds.rho)} ` +
    `(fires at ${side}), k = ${thresholds.k}, m = ${thresholds.m}`;
}

/** The run in one sentence, for a screen reader and a heading. */
export function inShort(totals) {
  const share = totals.smt === null ? "" : `, ${percent(totals.smt)} of them by the SRM`;
  return `${count(totals.thinking)} thinking tokens${share}; ${counted(totals.drafts, "draft")}.`;
}
