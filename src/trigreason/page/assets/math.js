/**
 * Mathematics in a text that a model wrote. Everything else stays text.
 *
 * Temml makes MathML out of LaTeX, with trust off. What it made is shown only if every element and
 * attribute is one of those below; otherwise the LaTeX itself is shown.
 */

import {el} from "./dom.js";
import temml from "./temml.js";

const PARTS = new RegExp(
  [
    "(?<code>```[\\s\\S]*?(?:```|$)|`[^`\\n]+`)",
    "\\$\\$(?<dollars>[\\s\\S]+?)\\$\\$",
    "\\\\\\[(?<brackets>[\\s\\S]+?)\\\\\\]",
    "\\\\\\((?<parens>[\\s\\S]+?)\\\\\\)",
    "(?<![\\\\$])\\$(?<dollar>[^\\s$](?:[^$\\n]*[^\\s$\\\\])?)\\$(?!\\d)",
    "(?<environment>\\\\begin\\{(?<name>(?:equation|align|gather|aligned|gathered|cases)\\*?)\\}" +
      "[\\s\\S]+?\\\\end\\{\\k<name>\\})",
    "(?<boxed>\\\\boxed\\{)",
  ].join("|"),
  "g",
);
const PLAIN = /^[^\\{}^_$%&#~]*$/;
const MOST = 20_000; // characters of one formula
const MATHML = "http://www.w3.org/1998/Math/MathML";
const ELEMENTS = new Set(
  ("math mrow mi mn mo ms mspace mtext mfrac msqrt mroot mstyle merror mpadded mphantom menclose " +
    "msub msup msubsup munder mover munderover mmultiscripts mprescripts none mtable mtr mtd")
    .split(" "),
);
const ATTRIBUTES = new Set(
  ("accent accentunder align class columnalign columnlines columnspacing columnspan depth dir " +
    "display displaystyle fence form height largeop linethickness lspace mathbackground mathcolor " +
    "mathsize mathvariant maxsize minsize movablelimits notation rowalign rowlines rowspacing " +
    "rowspan rspace scriptlevel separator side stretchy style symmetric voffset width xmlns")
    .split(" "),
);
const FORMULA = { trust: false, throwOnError: true, maxSize: [20, 20], maxExpand: 200 };

/** A text with its formulas typeset, as nodes. */
export function typeset(text) {
  const fragment = document.createDocumentFragment();
  let from = 0;
  for (const { source, latex, isDisplay, at } of formulasIn(text)) {
    const shown = formula(latex, isDisplay);
    fragment.append(text.slice(from, at), shown ?? source);
    from = at + source.length;
    if (shown && isDisplay) from += /^\s*/.exec(text.slice(from))[0].length; // it has a line
  }
  fragment.append(text.slice(from));
  fragment.normalize();
  return fragment;
}

/** The formulas in a text, in order: `source` as it stands there, `latex` without delimiters. */
export function formulasIn(text) {
  const found = [];
  PARTS.lastIndex = 0;
  for (let match = PARTS.exec(text); match; match = PARTS.exec(text)) {
    const { code, dollars, brackets, parens, dollar, environment, boxed } = match.groups;
    if (code) continue;
    if (boxed) {
      const end = closing(text, PARTS.lastIndex);
      if (end < 0) continue;
      const source = text.slice(match.index, end + 1);
      found.push({ source, latex: asText(source), isDisplay: false, at: match.index });
      PARTS.lastIndex = end + 1;
      continue;
    }
    const latex = dollars ?? brackets ?? parens ?? dollar ?? environment;
    const isDisplay = Boolean(dollars ?? brackets ?? environment);
    found.push({ source: match[0], latex, isDisplay, at: match.index });
  }
  return found;
}

/** Where the brace closes that was opened before `at`; -1 if it does not. */
function closing(text, at) {
  let depth = 1;
  for (let index = at; index < text.length; index += 1) {
    if (text[index] === "\\") index += 1;
    else if (text[index] === "{") depth += 1;
    else if (text[index] === "}" && --depth === 0) return index;
  }
  return -1;
}

/** `\boxed{False}` outside of a formula: words are words there, not a product of variables. */
function asText(source) {
  const inner = source.slice("\\boxed{".length, -1);
  return PLAIN.test(inner) ? `\\boxed{\\text{${inner}}}` : source;
}

/** A formula as MathML; null if it is no LaTeX, or makes anything but mathematics. */
function formula(latex, displayMode) {
  if (latex.length > MOST) return null;
  const place = el("span", { class: displayMode ? "math display" : "math" });
  try {
    temml.render(latex, place, { ...FORMULA, displayMode });
  } catch {
    return null;
  }
  return [...place.querySelectorAll("*")].every(isMathematics) ? place : null;
}

function isMathematics(element) {
  return (
    element.namespaceURI === MATHML &&
    ELEMENTS.has(element.localName) &&
    element.getAttributeNames().every((name) => ATTRIBUTES.has(name)) &&
    !/url\(|position|expression/i.test(element.getAttribute("style") ?? "")
  );
}
