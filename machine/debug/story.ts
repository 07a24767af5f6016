/** The story of a machine that had to stop, told with the lines of the book. */
import type { MachineEvent } from "#machine/machine.ts";
import type { AddressMap } from "./map.ts";

/** Several lines: the sentence, then for a triple fault each fault of the chain and where its instruction comes from. */
export function tellEnd(
  { message, event }: { readonly message: string; readonly event: MachineEvent | null },
  map: AddressMap | null,
): string {
  if (event?.kind !== "tripleFault") return message;
  const lines = event.story.chain.map(({ name, errorCode, rip, detail }, index) => {
    const code = errorCode === null ? "" : ` with error code 0x${errorCode.toString(16)}`;
    const where = map?.describe(rip) ?? `0x${rip.toString(16)}`;
    return `  ${index + 1}. ${name}${code}: ${detail}\n     ${where}`;
  });
  return ["Triple fault: a fault whose handlers could not be entered, to the last one.", ...lines].join("\n");
}
