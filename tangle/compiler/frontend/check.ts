/** The front end: kernel TypeScript sources in, the typed tree of the whole program out, or all its mistakes. */
import type { Diagnostic, Place } from "../../place.ts";
import type { Program, Function as TreeFunction } from "../tree.ts";
import { checkInstalled, installAllocator } from "./allocation.ts";
import { breakCycles } from "./await.ts";
import { languageScope } from "./builtins.ts";
import { completeClass, constructorOf, instantiateClass } from "./classes.ts";
import { Compilation } from "./compilation.ts";
import { Reporter } from "./diagnostics.ts";
import type { CheckedGlobal, FunctionEntity, ModuleScope } from "./entities.ts";
import { enumTypeOf } from "./enums.ts";
import { foldGlobals } from "./fold.ts";
import { instantiateFunction } from "./functions.ts";
import { checkGlobal } from "./globals.ts";
import { checkConstraintTypes, interfaceTypeOf } from "./interfaces.ts";
import { declareModule, linkModule, plainFunctions, startOrder } from "./modules.ts";
import { panicHandlerOf } from "./panic-handler.ts";
import { parseModule } from "./parse.ts";
import { reach } from "./reach.ts";
import { resolveType } from "./resolve.ts";
import type { Item, SourceModule, TypeParameterNode } from "./syntax.ts";

export interface SourceFile {
  /** `kernel/vga.ts` */
  readonly path: string;
  readonly text: string;
}

export interface CheckOptions {
  /** The module whose `_start` the program begins with. */
  readonly entryFile: string;
  /** The chapter that the sources belong to: from 10 on `new` will allocate, from 12 on `async` will compile. */
  readonly chapter: number;
  /** From a place in the sources to the one that panics name; the same place where left out. */
  readonly placeOf?: (place: Place) => Place;
}

/** `program` is null where there are diagnostics. Places in both are those of the sources given. */
export function check(
  files: readonly SourceFile[],
  options: CheckOptions,
): { readonly program: Program | null; readonly diagnostics: Diagnostic[] } {
  const reporter = new Reporter();
  const sources = files.map((file) => parseModule(file.path, file.text, reporter));
  // A module that is not understood hides what others import from it: only its syntax is worth reporting.
  const broken = reporter.diagnostics.some((diagnostic) => diagnostic.code === "KT1001");
  const program = broken ? null : checkProgram(sources as SourceModule[], options, reporter);
  const diagnostics = reporter.sorted();
  return { program: diagnostics.length === 0 ? program : null, diagnostics };
}

function checkProgram(sources: readonly SourceModule[], options: CheckOptions, reporter: Reporter): Program | null {
  const compilation = new Compilation(reporter, languageScope(), options.chapter);
  const modules = sources.map((source) => ({ source, module: declareModule(compilation, source) }));
  for (const { source, module } of modules) {
    linkModule(compilation, module, source);
  }
  const entryModule = compilation.modules.get(options.entryFile);
  compilation.started = entryModule === undefined ? [] : startOrder(compilation, entryModule);
  for (const { source, module } of modules) {
    checkModule(compilation, source, module);
  }
  const start = entryModule?.scope.own("_start");
  const entry = start?.kind === "function" ? entryFunction(compilation, start) : null;
  if (entryModule === undefined || entry === null) {
    reporter.report(
      "KT1053",
      { file: options.entryFile, line: 1, column: 1 },
      "the entry module has no function `_start`",
    );
    compilation.drain();
    return null;
  }
  const { started } = compilation;
  const handler = panicHandlerOf(compilation, started, entryModule);
  installAllocator(compilation);
  compilation.drain();
  breakCycles(compilation.embeddings);
  if (handler === null || reporter.diagnostics.length > 0) {
    return null;
  }
  const globalsInOrder = started.flatMap((module) => module.globals.flatMap(checkedGlobal));
  const initializers = foldGlobals(globalsInOrder, reporter);
  const { functions, globals } = reach([entry, handler.function, ...initializers]);
  checkInstalled(compilation, functions);
  return {
    globals: [...globals],
    functions: [...functions],
    classes: [...compilation.classes.keys()],
    entry,
    initializers,
    panicHandler: handler.function,
    placeOf: options.placeOf ?? ((place) => place),
  };
}

/** Checks all that a module declares, used or not; generic declarations are checked where they are used. */
function checkModule(compilation: Compilation, source: SourceModule, module: ModuleScope): void {
  const plain = (entity: FunctionEntity): void => {
    if (entity.node.typeParameters.length === 0) {
      instantiateFunction(compilation, entity, []);
    }
  };
  for (const item of source.items) {
    for (const parameters of typeParameterLists(item)) {
      checkConstraintTypes(compilation, module.scope, parameters);
    }
    if (item.kind === "class") {
      const entity = module.scope.own(item.class.name);
      if (entity?.kind === "class" && entity.node === item.class) {
        for (const member of entity.statics.values()) {
          if (member.kind === "function") {
            plain(member);
          }
        }
        if (item.class.typeParameters.length === 0) {
          const info = instantiateClass(compilation, entity, [], item.class.place);
          completeClass(compilation, info, item.class.place);
          info.methods.forEach(plain);
          constructorOf(compilation, info);
        }
      }
    } else if (item.kind === "enum") {
      const entity = module.scope.own(item.enum.name);
      if (entity?.kind === "enum") {
        enumTypeOf(compilation, entity);
      }
    } else if (item.kind === "interface") {
      const entity = module.scope.own(item.interface.name);
      if (entity?.kind === "interface" && item.interface.typeParameters.length === 0) {
        interfaceTypeOf(compilation, entity, []);
      }
    } else if (item.kind === "alias") {
      resolveType(compilation, module.scope, {
        kind: "name",
        name: item.alias.name,
        arguments: [],
        place: item.alias.place,
      });
    }
  }
  for (const global of module.globals) {
    checkGlobal(compilation, global);
  }
  plainFunctions(module, source).forEach(plain);
  for (const { entity } of module.tests) {
    plain(entity);
  }
  compilation.drain();
}

/** The lists of type parameters in a declaration; those of methods may speak of their class's. */
function typeParameterLists(item: Item): (readonly TypeParameterNode[])[] {
  switch (item.kind) {
    case "function":
      return [item.function.typeParameters];
    case "class": {
      const own = item.class.typeParameters;
      return [own, ...item.class.methods.map((method) => [...own, ...method.function.typeParameters])];
    }
    case "interface":
      return [item.interface.typeParameters];
    default:
      return [];
  }
}

/** `_start`: no parameters, or the boot information; never returns. */
function entryFunction(compilation: Compilation, entity: FunctionEntity): TreeFunction {
  const { node } = entity;
  const { function: entry } = instantiateFunction(compilation, entity, []);
  if (entry.parameters.length > 1 || entry.result.kind !== "never" || node.typeParameters.length > 0) {
    compilation.reporter.report(
      "KT1053",
      node.place,
      "`_start` has the type `() => never` or `(boot: BootInfo) => never`",
    );
  }
  return entry;
}

function checkedGlobal(entity: ModuleScope["globals"][number]): CheckedGlobal[] {
  return entity.global === null ? [] : [entity.global];
}
