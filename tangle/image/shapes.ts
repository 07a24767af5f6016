/** The types of module-level variables as plain data, so that a debugger can read the kernel's structures by name. */
import { sizeOf } from "../compiler/layout.ts";
import type { ClassType, EnumType, Global, Type } from "../compiler/tree.ts";

/**
 * A class: its bytes, and its fields as name, offset and type. Types are written as `u8` … `i64`, `bool`, `string`
 * (address and length), `function`, `interface`, `*T` for an address of a T or null, `[n]T` for n of them, `[]T` for
 * address and number of them, or the name of a shape.
 */
export interface ClassShape {
  readonly size: number;
  readonly fields: readonly (readonly [name: string, offset: number, type: string])[];
}

/** An enum: its integer type, and the members' names and values. */
export interface EnumShape {
  readonly repr: string;
  readonly members: Readonly<Record<string, number>>;
}

export interface ObjectShapes {
  /** By name; those that module-level variables have or lead to. */
  readonly shapes: Readonly<Record<string, ClassShape | EnumShape>>;
  /** Symbol → its type. */
  readonly objects: ReadonlyMap<string, string>;
}

/** The shapes of `globals`, and of all that they hold or point to. */
export function describeObjects(globals: readonly Global[]): ObjectShapes {
  const describer = new ShapeDescriber();
  const objects = new Map(globals.map(({ symbol, type }) => [symbol, describer.nameOf(type)]));
  return { shapes: describer.shapes, objects };
}

class ShapeDescriber {
  readonly shapes: Record<string, ClassShape | EnumShape> = {};
  private readonly names = new Map<ClassType | EnumType, string>();

  nameOf(type: Type): string {
    switch (type.kind) {
      case "integer":
        return type.name === "usize" ? "u64" : type.name;
      case "bool":
      case "void":
      case "never":
      case "string":
      case "function":
      case "interface":
        return type.kind;
      case "format":
        return "[]void";
      case "slice":
        return `[]${this.nameOf(type.of)}`;
      case "pointer":
        return `*${this.nameOf(type.of)}`;
      case "nullable":
        return type.of.kind === "class" ? `*${this.nameOf(type.of)}` : this.nameOf(type.of);
      case "owned":
        return type.of.kind === "class" ? `*${this.nameOf(type.of)}` : this.nameOf(type.of);
      case "array":
        return `[${type.length}]${this.nameOf(type.of)}`;
      case "volatile":
      case "atomic":
        return this.nameOf(type.of);
      case "enum":
        return this.enumShape(type);
      case "class":
        return this.classShape(type);
    }
  }

  private enumShape(type: EnumType): string {
    const name = this.names.get(type) ?? this.newName(type);
    const members = Object.fromEntries(type.members.map((member) => [member.name, Number(member.value)]));
    this.shapes[name] ??= { repr: type.repr.name, members };
    return name;
  }

  private classShape(type: ClassType): string {
    const known = this.names.get(type);
    if (known !== undefined) return known;
    // Named before its fields are looked at: a class may point to itself.
    const name = this.newName(type);
    const fields = type.fields.map(({ name, offset, type: of }) => [name, offset, this.nameOf(of)] as const);
    this.shapes[name] = { size: sizeOf(type), fields };
    return name;
  }

  /** Two modules may each have a class of one name. */
  private newName(type: ClassType | EnumType): string {
    const taken = new Set(this.names.values());
    let name = type.name;
    for (let number = 2; taken.has(name); number++) name = `${type.name}#${number}`;
    this.names.set(type, name);
    return name;
  }
}
