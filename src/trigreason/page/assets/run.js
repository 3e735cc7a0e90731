/** A run as the page holds it: a trace, or the beginning of one. */

/**
 * The trace in a JSON value that `solve --json`, `solve --trace` or the gateway wrote.
 * Throws an Error that says what is wrong.
 */
export function traceOf(value) {
  const trace = value?.trace && typeof value.trace === "object" ? value.trace : value;
  if (!trace || typeof trace !== "object" || !("schema" in trace)) {
    throw new Error("This is no trace: it has no schema version.");
  }
  if (trace.schema !== 2) {
    throw new Error(`This trace has schema ${trace.schema}, and this page reads 2.`);
  }
  const lists = [trace.steps, trace.messages, trace.stretches];
  if (!lists.every(Array.isArray) || !trace.thresholds || !trace.steps.every(isStep)) {
    throw new Error("This trace is damaged: a required field is missing.");
  }
  for (const step of trace.steps) step.lengths ??= [];
  return trace;
}

function isStep(step) {
  return (
    typeof step.text === "string" &&
    typeof step.tokens === "number" &&
    (step.author === "srm" || step.author === "lrm") &&
    Array.isArray(step.logprobs) &&
    Array.isArray(step.hesitations)
  );
}

/** The question: the last message of the user. */
export function questionOf(trace) {
  return trace.messages.findLast((message) => message.role === "user")?.content ?? "";
}

/** Every change of author and each rewrite, by the step (an index) that follows it. */
export function handoversOf(trace) {
  const found = new Map();
  let writer = null;
  trace.steps.forEach((step, index) => {
    const opens = writer === null && step.trigger !== null;
    if (opens || (writer !== null && step.author !== writer)) {
      found.set(index, { writer: step.author, trigger: step.trigger, steps: asked(trace, index) });
    }
    writer = step.author;
  });
  return found;
}

/** For how many steps the trigger of a step called the LRM. */
function asked(trace, index) {
  const { trigger } = trace.steps[index];
  const { n, m, judge_first: first } = trace.thresholds;
  if (trigger === "strategic_priming") return trace.method === "specreason" ? first : n;
  if (trigger === "intervention_request") return m;
  if (trigger === "repetition") return Math.max(1, m);
  if (trigger !== "method") return 1;
  const end = trace.steps.findIndex((step, at) => at > index && step.author !== "lrm");
  return (end < 0 ? trace.steps.length : end) - index;
}

/** Tokens of the steps: standing by author, and of drafts. */
export function tokensOf(steps) {
  const total = { srm: 0, lrm: 0, drafts: 0, draftTokens: 0 };
  for (const step of steps) addTokens(total, step);
  return total;
}

/** Add a step to the sums of `tokensOf`. */
export function addTokens(total, step) {
  if (step.standing) {
    total[step.author] += step.tokens;
  } else {
    total.drafts += 1;
    total.draftTokens += step.tokens;
  }
}
