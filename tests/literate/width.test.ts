/** The lines of the book's code fit the column that the site sets them in, so that none has to be moved sideways. */
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { readBookFiles } from "../../tangle/io.ts";
import { readBook } from "../../tangle/literate/tangle.ts";

const root = fileURLToPath(new URL("../..", import.meta.url));

/** Characters that the column of site/styles/page.css has room for, beside the line numbers. */
const COLUMNS = 98;

test("no line of the book's code is wider than the column", () => {
  const { book } = readBook(readBookFiles(root));
  const wide = [...book.chapters, ...book.appendices].flatMap((chapter) =>
    chapter.blocks.flatMap(({ place, lines }) =>
      lines
        .filter(({ text }) => [...text].length > COLUMNS)
        .map(({ line, text }) => `${place.file}:${line}: ${text.trim()}`),
    ),
  );
  expect(wide).toEqual([]);
});
