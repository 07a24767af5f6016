/** The three channels of the timer. */
import { timerReadings } from "../../../debug/chips.ts";
import { type Inspector, inspector } from "./inspector.ts";
import { type Content, table } from "./markup.ts";

export const timer: Inspector<"pit"> = inspector({
  name: "pit",
  title: "Timer",
  show(channels) {
    const rows = timerReadings(channels).map(({ channel, use, mode, reload, hertz, output }): Content[] => [
      String(channel),
      use,
      `mode ${mode}`,
      reload.toLocaleString("en"),
      hertz === null ? "once" : `${hertz.toLocaleString("en", { maximumFractionDigits: 2 })} Hz`,
      output ? "high" : "low",
    ]);
    return [table("Channels of the timer", ["Channel", "For", "Mode", "Count", "Rate", "Output"], rows)];
  },
});
