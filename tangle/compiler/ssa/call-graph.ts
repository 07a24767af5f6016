/** Who calls whom, and what a program needs. */
import type { IrFunction, IrProgram } from "./ir.ts";

/** All functions, callees before their callers but for recursion. */
export function calleesFirst(program: IrProgram): IrFunction[] {
  const functions = new Map(program.functions.map((f) => [f.symbol, f]));
  const order = new Set<IrFunction>();
  const entered = new Set<IrFunction>();
  const visit = (f: IrFunction): void => {
    if (entered.has(f)) return;
    entered.add(f);
    for (const symbol of symbolsIn(f)) {
      const callee = functions.get(symbol);
      if (callee) visit(callee);
    }
    order.add(f);
  };
  for (const f of program.functions) visit(f);
  return [...order];
}

/** Drops the functions and data that nothing reachable from the entry (or kept by `keep`) refers to. */
export function removeUnreferenced(program: IrProgram, keep: (symbol: string) => boolean): void {
  const functions = new Map(program.functions.map((f) => [f.symbol, f]));
  const data = new Map(program.data.map((object) => [object.symbol, object]));
  const needed = new Set<string>([program.entry]);
  for (const symbol of [...functions.keys(), ...data.keys()]) if (keep(symbol)) needed.add(symbol);
  for (const symbol of needed) {
    const f = functions.get(symbol);
    if (f) for (const used of symbolsIn(f)) needed.add(used);
    for (const relocation of data.get(symbol)?.relocations ?? []) needed.add(relocation.symbol);
  }
  retain(program.functions, (f) => needed.has(f.symbol));
  retain(program.data, (object) => needed.has(object.symbol));
}

/** The symbols that a function's code mentions, in order. */
function symbolsIn(f: IrFunction): string[] {
  const symbols: string[] = [];
  for (const block of f.blocks) {
    for (const i of block.instructions) if (i.kind === "call" || i.kind === "symbol") symbols.push(i.symbol);
  }
  return symbols;
}

function retain<T>(list: T[], wanted: (item: T) => boolean): void {
  list.splice(0, list.length, ...list.filter(wanted));
}
