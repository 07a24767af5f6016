/**
 * The ways into the panic handler. What is known at compile time (the place, a constant message) is read-only data; the
 * rest is filled in by two small generated functions, so that a check costs its site one call in a cold block.
 */
import type { Place } from "../../place.ts";
import type { FrameSlot, IrFunction, Value } from "../ssa/ir.ts";
import { FORMAT_PIECE, PANIC_INFO } from "../tree.ts";
import { FunctionBuilder } from "./builder.ts";
import { type DataPool, ImageBytes } from "./data.ts";
import { constantPieces, pieceTail, storePiece, storeTextPiece } from "./pieces.ts";

/** Read-only description of a place, 24 bytes: file (address, length), line u32, column u32; the last parts of PanicInfo. */
const SITE = { size: 24, file: 0, line: 16, column: 20 } as const;

const OUT_OF_BOUNDS = "panic:outOfBounds";
const MESSAGE = "panic:message";

export class Panics {
  private readonly generated = new Map<string, IrFunction>();

  constructor(
    private readonly data: DataPool,
    /** Symbol of the program's panic handler. */
    private readonly handler: string,
    /** The place that the reader of a panic sees. */
    private readonly placeText: (place: Place) => Place,
  ) {}

  /** The functions that were needed. */
  get functions(): readonly IrFunction[] {
    return [...this.generated.values()];
  }

  /** Ends the current block in a panic with a message known now. */
  constant(builder: FunctionBuilder, texts: readonly Uint8Array[], place: Place): void {
    const info = new ImageBytes(PANIC_INFO.size);
    if (texts.length > 0) info.address(PANIC_INFO.message, constantPieces(this.data, texts));
    info.integer(PANIC_INFO.message + 8, 8, BigInt(texts.length));
    this.fillSite(info, PANIC_INFO.file, place);
    builder.call(this.handler, [builder.symbol(this.data.constant("panic", info, PANIC_INFO.align))], []);
    endCold(builder);
  }

  /** Ends the current block in a panic with a format value: address and count of its pieces. */
  message(builder: FunctionBuilder, pieces: readonly Value[], place: Place): void {
    if (!this.generated.has(MESSAGE)) this.generated.set(MESSAGE, this.messageFunction());
    builder.call(MESSAGE, [...pieces, builder.symbol(this.site(place))], []);
    endCold(builder);
  }

  /** Ends the current block in the panic of a failed bounds check. */
  outOfBounds(builder: FunctionBuilder, index: Value, length: Value, place: Place): void {
    if (!this.generated.has(OUT_OF_BOUNDS)) this.generated.set(OUT_OF_BOUNDS, this.outOfBoundsFunction());
    builder.call(OUT_OF_BOUNDS, [index, length, builder.symbol(this.site(place))], []);
    endCold(builder);
  }

  private site(place: Place): string {
    const site = new ImageBytes(SITE.size);
    this.fillSite(site, 0, place);
    return this.data.constant("place", site, 8);
  }

  private fillSite(content: ImageBytes, at: number, place: Place): void {
    const shown = this.placeText(place);
    const file = new TextEncoder().encode(shown.file);
    content.address(at + SITE.file, this.data.text(file));
    content.integer(at + SITE.file + 8, 8, BigInt(file.length));
    content.integer(at + SITE.line, 4, BigInt(shown.line));
    content.integer(at + SITE.column, 4, BigInt(shown.column));
  }

  /** panic:message(pieces, count, site) */
  private messageFunction(): IrFunction {
    const builder = new FunctionBuilder(MESSAGE, ["i64", "i64", "i64"], [], "plain", "never", null);
    const [address, count, site] = builder.entry.parameters;
    this.callHandler(builder, address!, count!, site!);
    return builder.finish();
  }

  /** panic:outOfBounds(index, length, site) */
  private outOfBoundsFunction(): IrFunction {
    const builder = new FunctionBuilder(OUT_OF_BOUNDS, ["i64", "i64", "i64"], [], "plain", "never", null);
    const [index, length, site] = builder.entry.parameters;
    const slot: FrameSlot = { name: "message", size: 4 * FORMAT_PIECE.size, align: FORMAT_PIECE.align };
    const pieces = builder.slot(slot);
    const decimal = pieceTail({ kind: 1, width: 0, fill: 32, digits: 0 });
    const text = new TextEncoder();
    storeTextPiece(builder, this.data, pieces, 0, text.encode("index "));
    storePiece(builder, pieces, 1, index!, builder.constant("i64", 0n), decimal);
    storeTextPiece(builder, this.data, pieces, 2, text.encode(" out of bounds for length "));
    storePiece(builder, pieces, 3, length!, builder.constant("i64", 0n), decimal);
    this.callHandler(builder, pieces, builder.constant("i64", 4n), site!);
    return builder.finish();
  }

  private callHandler(builder: FunctionBuilder, pieces: Value, count: Value, site: Value): void {
    const info = builder.slot({ name: "info", size: PANIC_INFO.size, align: PANIC_INFO.align });
    builder.store(info, PANIC_INFO.message, pieces);
    builder.store(info, PANIC_INFO.message + 8, count);
    for (let at = 0; at < SITE.size; at += 8) builder.store(info, PANIC_INFO.file + at, builder.load("i64", site, at));
    builder.call(this.handler, [info], []);
    endCold(builder);
  }
}

/** Nothing is reached from here, and getting here is rare. */
function endCold(builder: FunctionBuilder): void {
  builder.current.cold = builder.current !== builder.entry;
  builder.unreachable();
}
