/** Engines with a fault of a known kind, under names of their own: what looks for faults must find each. */
import type { Cpu } from "#machine/cpu/cpu.ts";
import type { VectorMeaning } from "#machine/cpu/vector-semantics.ts";
import type { CodeCursor } from "../machine/engine/code-cursor.ts";
import { EvaluatorEngine } from "../machine/engine/evaluator-engine.ts";
import { ENGINES, type EngineName } from "../machine/hosts/pc.ts";

/** The evaluator, but for one mnemonic, which does what `plant` makes of its meaning. */
class PlantedEngine extends EvaluatorEngine {
  constructor(cpu: Cpu, mnemonic: string, plant: (right: VectorMeaning, cursor: CodeCursor) => VectorMeaning) {
    super(cpu);
    const { cursor } = this.evaluator;
    const decode = cursor.decode.bind(cursor);
    cursor.decode = (page) => {
      const decoded = decode(page);
      if (decoded.instruction.mnemonic !== mnemonic) return decoded;
      return Object.assign(decoded, { meaning: plant(decoded.meaning, cursor) });
    };
  }
}

function planted(name: string, mnemonic: string, plant: ConstructorParameters<typeof PlantedEngine>[2]): EngineName {
  Object.assign(ENGINES, { [name]: (cpu: Cpu) => new PlantedEngine(cpu, mnemonic, plant) });
  return name as EngineName;
}

/** An instruction that does what another does. */
export const plantWrong = (mnemonic: string, wrong: VectorMeaning): EngineName =>
  planted(`wrong ${mnemonic}`, mnemonic, () => wrong);

/** An instruction that no JavaScript survives. */
export const plantThrowing = (mnemonic: string): EngineName =>
  planted(`throwing ${mnemonic}`, mnemonic, () => () => {
    throw new RangeError(`planted in ${mnemonic}`);
  });

/** An instruction after which the guest is at the same place again. */
export const plantEndless = (mnemonic: string): EngineName =>
  planted(`endless ${mnemonic}`, mnemonic, (_, cursor) => () => {
    cursor.offset = cursor.startOffset;
  });

/** An instruction that keeps the host for so many seconds of processor time when it is first done. */
export function plantSlow(mnemonic: string, seconds: number): EngineName {
  let isDone = false;
  return planted(`slow ${mnemonic}`, mnemonic, (right) => (s, instruction) => {
    const before = process.cpuUsage();
    while (!isDone && process.cpuUsage(before).user < seconds * 1e6);
    isDone = true;
    right(s, instruction);
  });
}
