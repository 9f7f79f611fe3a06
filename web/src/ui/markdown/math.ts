/** Formulas: in a file of its own, fetched when the first is met. */
import "katex/dist/katex.min.css";

import katex, { type Options } from "rehype-katex";
import math, { type Options as MathOptions } from "remark-math";

// a formula may neither lead anywhere nor cover the page
const drawing: Options = { errorColor: "inherit", strict: "ignore", trust: false, maxSize: 20, maxExpand: 500 };
const reading: MathOptions = { singleDollarTextMath: false };

export const rehypeKatex: [typeof katex, Options] = [katex, drawing];
export const remarkMath: [typeof math, MathOptions] = [math, reading];
