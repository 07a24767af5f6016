/** The story of a machine that had to stop, told with the lines of the book. */
import type { MachineEvent } from "#machine/machine.ts";
import type { AddressMap } from "./map.ts";

type TripleFault = Extract<MachineEvent, { kind: "tripleFault" }>;
type FaultLink = TripleFault["story"]["chain"][number];

const PAGE_FAULT = 14;

/** Several lines: the sentence, then for a triple fault each fault of the chain and where its instruction comes from. */
export function tellEnd(
  { message, event }: { readonly message: string; readonly event: MachineEvent | null },
  map: AddressMap | null,
): string {
  return event?.kind === "tripleFault" ? tellTripleFault(event, map) : message;
}

function tellTripleFault({ story }: TripleFault, map: AddressMap | null): string {
  const lines = [
    "Triple fault. The processor could not enter the handler of a fault, nor that of the fault which came of it:",
  ];
  let at: bigint | null = null;
  for (const [index, link] of story.chain.entries()) {
    lines.push(`  ${index + 1}. ${link.name}${errorCodeOf(link)}: ${link.detail}`);
    if (link.rip !== at)
      lines.push(`     in the instruction at ${map?.describe(link.rip) ?? `0x${link.rip.toString(16)}`}`);
    at = link.rip;
  }
  return lines.join("\n");
}

function errorCodeOf({ vector, errorCode }: FaultLink): string {
  if (errorCode === null) return "";
  const code = `0x${errorCode.toString(16)}`;
  return vector === PAGE_FAULT ? `, ${pageFaultReason(errorCode)} (error code ${code})` : ` (error code ${code})`;
}

/** A page fault's error code in words (Intel SDM vol. 3A, section 4.7). */
export function pageFaultReason(errorCode: number): string {
  const access = errorCode & 16 ? "an instruction fetch" : errorCode & 2 ? "a write" : "a read";
  const who = errorCode & 4 ? "in user mode" : "by the kernel";
  const why =
    errorCode & 8 ? "a reserved bit is set" : errorCode & 1 ? "the page does not allow it" : "no page is there";
  return `${access} ${who}, but ${why}`;
}
