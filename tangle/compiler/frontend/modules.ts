/** Modules: what each declares, how they are linked by imports, and the order in which they start. */
import type { Place } from "../../place.ts";
import { declareAllocator } from "./allocation.ts";
import type { Compilation } from "./compilation.ts";
import { type ClassEntity, type Entity, type FunctionEntity, type GlobalEntity, ModuleScope } from "./entities.ts";
import { PLAIN } from "./functions.ts";
import { declarePanicHandler } from "./panic-handler.ts";
import { closest } from "./resolve.ts";
import type { ClassNode, DeclaratorNode, FunctionNode, Item, SourceModule } from "./syntax.ts";
import { declareTest } from "./tests.ts";
import { type WrappedFunction, wrappedFunction } from "./wrappers.ts";

/** Makes the entities of a module's declarations; nothing is checked yet. */
export function declareModule(compilation: Compilation, source: SourceModule): ModuleScope {
  const module = new ModuleScope(source.path, compilation.language);
  compilation.modules.set(source.path, module);
  for (const item of source.items) {
    declareItem(compilation, module, item);
  }
  for (const { names, from } of source.imports) {
    for (const { imported, local, place } of names) {
      module.imported.set(local, { from, name: imported, place });
    }
  }
  for (const { names, from } of source.exports) {
    for (const { local, exported, place } of names) {
      exportName(compilation, module, exported, { local, from, place });
    }
  }
  return module;
}

function declareItem(compilation: Compilation, module: ModuleScope, item: Item): void {
  const declare = (name: string, entity: Entity, place: Place): void => {
    const earlier = module.scope.declare(name, entity, place);
    if (earlier !== null) {
      compilation.reporter.report("KT1003", place, `\`${name}\` is declared twice in this module`, {
        related: [{ place: earlier, message: "declared here first" }],
      });
    } else if (item.exported) {
      exportName(compilation, module, name, { local: name, from: null, place });
    }
  };
  switch (item.kind) {
    case "function": {
      const name = item.function.name ?? "";
      declare(name, functionEntity(module, { node: item.function, traits: PLAIN }, module.symbol(name)), item.place);
      return;
    }
    case "class":
      declare(item.class.name, classEntity(compilation, module, item.class), item.class.place);
      return;
    case "enum":
      declare(
        item.enum.name,
        { kind: "enum", node: item.enum, scope: module.scope, state: "new", type: null },
        item.enum.place,
      );
      return;
    case "interface":
      declare(
        item.interface.name,
        { kind: "interface", node: item.interface, scope: module.scope, instances: new Map() },
        item.interface.place,
      );
      return;
    case "alias":
      declare(
        item.alias.name,
        { kind: "alias", node: item.alias, scope: module.scope, state: "new", type: null },
        item.alias.place,
      );
      return;
    case "variables":
      for (const declarator of item.variables.declarators) {
        declareVariable(compilation, module, declarator, item.variables.mutable, declare);
      }
      return;
    case "expression":
      if (
        !declareTest(compilation, module, item.expression) &&
        !declareAllocator(compilation, module, item.expression) &&
        declarePanicHandler(compilation, module, item.expression, "panicHandler") === null
      ) {
        compilation.reporter.report("KT1054", item.place);
      }
  }
}

function declareVariable(
  compilation: Compilation,
  module: ModuleScope,
  node: DeclaratorNode,
  mutable: boolean,
  declare: (name: string, entity: Entity, place: Place) => void,
): void {
  const { name, place, initial } = node;
  const wrapped = initial === null || node.type !== null || mutable ? null : wrappedFunction(module, initial);
  if (wrapped !== null) {
    declare(name, functionEntity(module, wrapped, module.symbol(name)), place);
    return;
  }
  if (initial !== null) {
    const handler = declarePanicHandler(compilation, module, initial, name);
    if (handler !== null) {
      declare(name, handler, place);
      return;
    }
  }
  const entity: GlobalEntity = {
    kind: "global",
    symbol: module.symbol(name),
    type: node.type,
    initial,
    mutable,
    scope: module.scope,
    owner: null,
    private: false,
    place,
    state: "new",
    global: null,
  };
  module.globals.push(entity);
  declare(name, entity, place);
}

function functionEntity(module: ModuleScope, wrapped: WrappedFunction, symbol: string): FunctionEntity {
  return {
    kind: "function",
    node: wrapped.node,
    symbol,
    scope: module.scope,
    owner: null,
    receiver: null,
    ...wrapped.traits,
    instances: new Map(),
    private: false,
  };
}

function classEntity(compilation: Compilation, module: ModuleScope, node: ClassNode): ClassEntity {
  const symbol = module.symbol(node.name);
  const statics: ClassEntity["statics"] = new Map();
  const entity: ClassEntity = { kind: "class", node, symbol, scope: module.scope, instances: new Map(), statics };
  const seen = new Map<string, Place>();
  for (const member of [...node.fields, ...node.methods]) {
    const key = `${member.static} ${member.name}`;
    const earlier = seen.get(key);
    if (earlier !== undefined) {
      compilation.reporter.report("KT1003", member.place, `\`${member.name}\` is declared twice in \`${node.name}\``, {
        related: [{ place: earlier, message: "declared here first" }],
      });
    }
    seen.set(key, member.place);
  }
  for (const field of node.fields.filter((one) => one.static)) {
    const global: GlobalEntity = {
      kind: "global",
      symbol: `${symbol}.${field.name}`,
      type: field.type,
      initial: field.initial,
      mutable: !field.readonly,
      scope: module.scope,
      owner: entity,
      private: field.private,
      place: field.place,
      state: "new",
      global: null,
    };
    statics.set(field.name, global);
    module.globals.push(global);
  }
  for (const method of node.methods.filter((one) => one.static)) {
    statics.set(method.name, {
      ...functionEntity(module, { node: method.function, traits: PLAIN }, `${symbol}.${method.name}`),
      owner: entity,
      private: method.private,
    });
  }
  return entity;
}

function exportName(
  compilation: Compilation,
  module: ModuleScope,
  exported: string,
  clause: { readonly local: string; readonly from: string | null; readonly place: Place },
): void {
  const earlier = module.exports.get(exported);
  if (earlier !== undefined) {
    compilation.reporter.report("KT1003", clause.place, `\`${exported}\` is exported twice`, {
      related: [{ place: earlier.place, message: "exported here first" }],
    });
    return;
  }
  module.exports.set(exported, clause);
}

/** Gives imported names their entities. All modules have been declared. */
export function linkModule(compilation: Compilation, module: ModuleScope, source: SourceModule): void {
  const { reporter } = compilation;
  for (const { from, names, namespace, place } of source.imports) {
    const target = findModule(compilation, module, from, place);
    if (target === null) {
      // The names are taken, so that their uses are not reported as well.
      for (const { local, place: at } of names) {
        module.scope.declare(local, { kind: "missing" }, at);
      }
      continue;
    }
    module.imports.push(target.path);
    if (namespace !== null) {
      declareImport(compilation, module, namespace, { kind: "namespace", module: target, place }, place);
    }
    for (const { imported, local, place: at } of names) {
      const entity = exportedEntity(compilation, target, imported);
      if (entity === null) {
        const near = closest(imported, [...target.exports.keys()]);
        const declared = target.scope.own(imported) !== null;
        const hint = declared ? undefined : near === null ? "check the name" : `did you mean \`${near}\`?`;
        reporter.report("KT1005", at, `\`${target.path}\` does not export \`${imported}\``, hint ? { hint } : {});
      }
      declareImport(compilation, module, local, entity ?? { kind: "missing" }, at);
    }
  }
  for (const [exported, { local, from, place }] of module.exports) {
    if (from !== null) {
      const target = findModule(compilation, module, from, place);
      if (target !== null) {
        module.imports.push(target.path);
        if (exportedEntity(compilation, target, local) === null) {
          reporter.report("KT1005", place, `\`${target.path}\` does not export \`${local}\``);
        }
      }
    } else if (module.scope.own(local) === null && !module.imported.has(local)) {
      reporter.report("KT1002", place, `\`${local}\`, exported as \`${exported}\`, is not declared`);
    }
  }
}

function declareImport(
  compilation: Compilation,
  module: ModuleScope,
  local: string,
  entity: Entity,
  place: Place,
): void {
  const earlier = module.scope.declare(local, entity, place);
  if (earlier !== null) {
    compilation.reporter.report("KT1003", place, `\`${local}\` is declared twice in this module`, {
      related: [{ place: earlier, message: "declared here first" }],
    });
  }
}

/** The module that a specifier names, relative to the importing one; null after a report. */
function findModule(
  compilation: Compilation,
  module: ModuleScope,
  specifier: string,
  place: Place,
): ModuleScope | null {
  const report = (message: string, hint?: string): null => {
    compilation.reporter.report("KT1004", place, message, hint === undefined ? {} : { hint });
    return null;
  };
  if (!specifier.startsWith("./") && !specifier.startsWith("../")) {
    return report(`\`${specifier}\` is not a file of this book`);
  }
  if (/\.[jt]s$/.test(specifier)) {
    return report(`\`${specifier}\` ends in an extension`, `write \`${specifier.slice(0, -3)}\``);
  }
  const segments = module.path.split("/").slice(0, -1);
  for (const segment of specifier.split("/")) {
    if (segment === "..") {
      segments.pop();
    } else if (segment !== ".") {
      segments.push(segment);
    }
  }
  const path = `${segments.join("/")}.ts`;
  const found = compilation.modules.get(path);
  if (found === undefined) {
    const near = closest(path, [...compilation.modules.keys()]);
    return report(`there is no \`${path}\``, near === null ? undefined : `did you mean \`${near}\`?`);
  }
  return found;
}

/** What a module exports under a name, through re-exports; null where it does not. */
export function exportedEntity(
  compilation: Compilation,
  module: ModuleScope,
  name: string,
  seen = new Set<ModuleScope>(),
): Entity | null {
  const clause = module.exports.get(name);
  if (clause === undefined || seen.has(module)) {
    return null;
  }
  seen.add(module);
  let { local, from, place } = clause;
  if (from === null) {
    const own = module.scope.own(local);
    const imported = module.imported.get(local);
    if (own !== null || imported === undefined) {
      return own;
    }
    // An import that is exported again; the module has not been linked yet.
    ({ from, name: local, place } = imported);
  }
  const target = findModule(compilation, module, from, place);
  return target === null ? { kind: "missing" } : exportedEntity(compilation, target, local, seen);
}

/** The modules that start with the entry module, each after those it imports; cycles start where they are met. */
export function startOrder(compilation: Compilation, entry: ModuleScope): ModuleScope[] {
  const order: ModuleScope[] = [];
  const seen = new Set<ModuleScope>();
  const visit = (module: ModuleScope): void => {
    if (seen.has(module)) {
      return;
    }
    seen.add(module);
    for (const path of module.imports) {
      visit(compilation.modules.get(path)!);
    }
    order.push(module);
  };
  visit(entry);
  return order;
}

/** All functions that a module declares without type parameters, for checking even where nothing calls them. */
export function plainFunctions(module: ModuleScope, source: SourceModule): FunctionEntity[] {
  const named = (node: FunctionNode): FunctionEntity[] => {
    const entity = node.name === null ? null : module.scope.own(node.name);
    return entity?.kind === "function" && entity.node === node ? [entity] : [];
  };
  return source.items.flatMap((item) => {
    switch (item.kind) {
      case "function":
        return named(item.function);
      case "variables":
        return item.variables.declarators.flatMap(({ name }) => {
          const entity = module.scope.own(name);
          return entity?.kind === "function" ? [entity] : [];
        });
      default:
        return [];
    }
  });
}
