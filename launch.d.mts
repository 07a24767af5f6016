/** Path of the bundle of a source, such as `site/chapter-worker.ts`, for Node to run. Rejects where it cannot be bundled. */
export function bundled(entry: string): Promise<string>;
