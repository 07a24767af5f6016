/** Babel's interfaces to interface nodes: methods and nothing else. */
import type * as babel from "@babel/types";
import type { InterfaceNode } from "../syntax.ts";
import type { Conversion } from "./conversion.ts";
import { convertSignature, convertTypeParameters } from "./types.ts";

export function convertInterface(c: Conversion, node: babel.TSInterfaceDeclaration): InterfaceNode {
  if (node.declare) {
    c.report("KT1025", node, "`declare`");
  }
  for (const base of node.extends ?? []) {
    c.report("KT1021", base, "`extends`", "write the methods out, or implement both interfaces");
  }
  const methods = node.body.body.flatMap((member) => {
    if (
      member.type !== "TSMethodSignature" ||
      member.kind !== "method" ||
      member.computed ||
      member.optional ||
      member.key.type !== "Identifier"
    ) {
      c.report("KT1026", member, "an interface has plain methods and nothing else");
      return [];
    }
    return [{ name: member.key.name, ...convertSignature(c, member), place: c.place(member.key) }];
  });
  return {
    name: node.id.name,
    typeParameters: convertTypeParameters(c, node.typeParameters),
    methods,
    place: c.place(node.id),
  };
}
