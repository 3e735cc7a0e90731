/** Numbers for people. */

const whole = new Intl.NumberFormat("en");

/** A share in per cent, with enough digits to tell it from `bound`. */
export function percent(share, bound = null) {
  let text = "";
  for (let digits = 0; digits < 4; digits += 1) {
    text = (100 * share).toFixed(digits);
    if (bound === null || share === bound || Number(text) !== Number((100 * bound).toFixed(digits)))
      break;
  }
  return `${text}\u00a0%`;
}

/** 1234 as "1,234". */
export function count(number) {
  return whole.format(number);
}

/** "1 step", "2 steps". */
export function counted(number, noun) {
  return `${count(number)} ${noun}${number === 1 ? "" : "s"}`;
}

/** Seconds with a unit. */
export function seconds(number) {
  return `${number.toFixed(number < 10 ? 1 : 0)} s`;
}

/** USD, to two digits at least; "–" where no price is known. */
export function usd(amount, isEstimate = false) {
  if (amount === null || amount === undefined) return "–";
  const digits = amount > 0 && amount < 0.01 ? amount.toPrecision(2) : amount.toFixed(amount < 1 ? 4 : 2);
  return `${isEstimate ? "about " : ""}$${digits}`;
}

/** A number as it was written, without a tail of binary digits. */
export function short(number) {
  return String(Number(Number(number).toPrecision(6)));
}
