/** Module-level variables and static fields: their types, and the functions that compute their initial values. */
import type { Global, Type } from "../tree.ts";
import { Body } from "./body.ts";
import { completeEmbedded } from "./classes.ts";
import type { Compilation, OpenFunction } from "./compilation.ts";
import { constantOf, rememberConstant } from "./constants.ts";
import { type CheckedGlobal, type GlobalEntity, Scope } from "./entities.ts";
import { checkExpression } from "./expressions.ts";
import { initialize, newType } from "./initialize.ts";
import { globalTarget } from "./nodes.ts";
import { resolveType } from "./resolve.ts";
import { ERROR, isError, typeName, VOID } from "./types.ts";

/** The variable with its initializer; null after a report. */
export function checkGlobal(compilation: Compilation, entity: GlobalEntity): CheckedGlobal | null {
  if (entity.state === "busy") {
    compilation.reporter.report("KT1057", entity.place, "the type or value of this variable depends on itself", {
      hint: "write its type after a colon",
    });
    return null;
  }
  if (entity.state === "new") {
    entity.state = "busy";
    entity.global = check(compilation, entity);
    entity.state = "done";
  }
  return entity.global;
}

function check(compilation: Compilation, entity: GlobalEntity): CheckedGlobal | null {
  const { place, symbol } = entity;
  const initializerSymbol = `${symbol}.initialize`;
  const scope = new Scope(entity.scope, entity.scope.module);
  const body = new Body(compilation, { symbol: initializerSymbol, scope, owner: entity.owner, atModuleLevel: true });
  const type = typeOf(body, entity);
  if (isError(type)) {
    return null;
  }
  if (type.kind === "void" || type.kind === "never" || type.kind === "format") {
    body.report("KT1008", place, `a variable of type \`${typeName(type)}\` cannot be kept in memory`);
    return null;
  }
  completeEmbedded(compilation, type, place);
  const global: CheckedGlobal["global"] = { symbol, type, mutable: entity.mutable, initial: null, place };
  const initializer: OpenFunction = {
    symbol: initializerSymbol,
    parameters: [],
    result: VOID,
    convention: "plain",
    inline: "auto",
    body: [],
    locals: [],
    place,
  };
  const checked = { global, initializer };
  const fill = (): void => {
    if (entity.initial !== null) {
      initializer.body = initialize(body, globalTarget(global, place), entity.initial, true);
    } else if (!entity.mutable && entity.owner === null) {
      body.report("KT1060", place, "a constant needs its value");
    } else if (!hasZero(type)) {
      body.report("KT1060", place, "a variable of this type says its initial value");
    }
    initializer.locals = body.locals;
  };
  // Constants are needed while checking, all else may speak of anything, this variable included.
  if (isConstantKind(type) && !entity.mutable) {
    fill();
    const [statement] = initializer.body;
    if (statement?.kind === "expression" && statement.expression.kind === "assign") {
      rememberConstant(global, statement.expression.value);
    } else if (initializer.body.length === 0) {
      rememberConstant(global, { kind: "integer", value: 0n, type, place });
    }
  } else {
    compilation.pending.push(fill);
  }
  return checked;
}

function isConstantKind(type: Type): boolean {
  return type.kind === "integer" || type.kind === "bool" || type.kind === "enum";
}

/** Whether zeros in memory are a value of the type. */
function hasZero(type: Type): boolean {
  return type.kind !== "pointer" && type.kind !== "function";
}

function typeOf(body: Body, entity: GlobalEntity): Type {
  if (entity.type !== null) {
    return resolveType(body.compilation, entity.scope, entity.type);
  }
  const { initial } = entity;
  if (initial === null) {
    body.report("KT1046", entity.place, "the variable says neither its type nor its initial value");
    return ERROR;
  }
  if (initial.kind === "new") {
    return newType(body, initial, null);
  }
  // Checked once more, in its place, when the variable is filled: here only its type counts.
  const probe = new Body(body.compilation, { symbol: `${body.symbol}.type`, scope: body.scope, owner: body.owner });
  return checkExpression(probe, initial, null).type;
}

/** The value of an immutable integer, or null. */
export function globalConstant(compilation: Compilation, entity: GlobalEntity): bigint | null {
  const global: Global | undefined = checkGlobal(compilation, entity)?.global;
  return global === undefined || global.mutable
    ? null
    : constantOf({ kind: "read", target: globalTarget(global, entity.place), type: global.type, place: entity.place });
}
