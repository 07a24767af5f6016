/** What converting one module's Babel tree needs everywhere: places and rejections. */
import type * as babel from "@babel/types";
import type { Place } from "../../../place.ts";
import type { Reporter, RuleCode } from "../diagnostics.ts";
import { REJECTED_NODES } from "./rejections.ts";

export class Conversion {
  constructor(
    readonly path: string,
    readonly reporter: Reporter,
  ) {}

  place(node: babel.Node): Place {
    const start = node.loc?.start;
    return { file: this.path, line: start?.line ?? 1, column: (start?.column ?? 0) + 1 };
  }

  /** The last character of the node, such as the closing brace of a function. */
  end(node: babel.Node): Place {
    const end = node.loc?.end;
    return { file: this.path, line: end?.line ?? 1, column: Math.max(1, end?.column ?? 1) };
  }

  report(code: RuleCode, node: babel.Node, message?: string, hint?: string): void {
    this.reporter.report(code, this.place(node), message, hint === undefined ? {} : { hint });
  }

  /** Reports a node that the language lacks by the table, and gives the `error` node that stands for it. */
  reject(node: babel.Node): { readonly kind: "error"; readonly place: Place } {
    const rejection = REJECTED_NODES[node.type];
    if (rejection === undefined) {
      this.report("KT1001", node, `syntax that is not known here: ${node.type}`);
    } else {
      this.report(rejection.code, node, rejection.message, rejection.hint);
    }
    return { kind: "error", place: this.place(node) };
  }
}
