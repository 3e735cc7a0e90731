/**
 * TrigReason's two comparisons on recorded steps, so that a moved threshold shows at once.
 *
 * This is all that the page decides by itself. Python's own replay says the same about every step
 * (tests/page/test_what_if.py); for every other method the page asks it. Repetition is left out:
 * it does not depend on these thresholds alone.
 */

const VISIBLE = /[^\s\x1c-\x1f\x85]|\ufeff/; // what is not white space in Python

/** r of equation 4: the share of tokens with a perplexity below τ; null without probabilities. */
export function ratio(logprobs, tau) {
  const known = logprobs.filter((logprob) => logprob !== null);
  if (known.length === 0) return null;
  return known.filter((logprob) => Math.exp(-logprob) < tau).length / known.length;
}

/** Equation 5 or its mirror image: whether the cognitive offload fires at r. */
export function offloads(r, { rho, direction }) {
  if (r === null || rho === 1) return false;
  return direction === "under" ? rho !== 0 && r < rho : r > rho;
}

/**
 * For each step the trigger that would fire after it, or null. The streak of hesitating steps
 * starts anew after every step at which the LRM wrote then or would write now.
 */
export function firings(steps, thresholds) {
  let streak = 0;
  return steps.map((step) => {
    if (step.end === "cut_off") return null;
    if (step.author === "lrm") {
      streak = 0;
      return null;
    }
    if (!VISIBLE.test(step.text)) return null;
    if (offloads(ratio(step.logprobs, thresholds.tau), thresholds)) {
      streak = 0;
      return "cognitive_offload";
    }
    streak = step.hesitations.length > 0 ? streak + 1 : 0;
    if (thresholds.m > 0 && streak >= thresholds.k) {
      streak = 0;
      return "intervention_request";
    }
    return null;
  });
}
