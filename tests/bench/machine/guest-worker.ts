/** Our machine in a worker of a page, as the book's element runs it. Gets a run, answers with its result. */
import { type GuestRun, runGuest } from "./guest.ts";

const scope = self as unknown as {
  postMessage(message: unknown): void;
  onmessage: ((event: MessageEvent<GuestRun>) => void) | null;
};
const begun = performance.now();

/** A task of its own, as in the element's worker: `setTimeout` would be held to 4 ms. */
const channel = new MessageChannel();
let next: () => void = () => {};
channel.port1.onmessage = () => next();

scope.onmessage = ({ data }) => {
  const turn = (task: () => void) => {
    next = task;
    channel.port2.postMessage(null);
  };
  runGuest(data, () => performance.now() - begun, turn).then(
    (result) => scope.postMessage(result),
    (error) => scope.postMessage({ times: {}, checksum: null, text: String(error) }),
  );
};
