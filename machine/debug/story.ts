/** The story of a machine that had to stop, told with the lines of the book. */
import type { MachineEvent } from "#machine/machine.ts";
import { tellErrorCode } from "./error-codes.ts";
import type { AddressMap } from "./map.ts";

type TripleFault = Extract<MachineEvent, { kind: "tripleFault" }>;
type FaultLink = TripleFault["story"]["chain"][number];

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
  const reason = tellErrorCode(vector, errorCode);
  return `${reason === null ? "" : `, ${reason}`} (error code 0x${errorCode.toString(16)})`;
}
