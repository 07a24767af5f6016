/** The numbered mistakes of the literate format. A number keeps its meaning for ever. */
export const LT = {
  /** The file does not open with `---`, or the front matter is never closed. */
  noFrontMatter: "LT3001",
  /** A line of the front matter is not understood, or a key is missing, unknown or given twice. */
  badFrontMatter: "LT3002",
  /** Two chapters have the same milestone. */
  duplicateMilestone: "LT3003",
  /** A word after the language of a fence that the format does not know. */
  unknownAttribute: "LT3010",
  /** An attribute that is given twice, has a wrong value, or does not go with the others. */
  badAttribute: "LT3011",
  /** A chunk or variant name with characters that names do not have. */
  badName: "LT3012",
  /** A path that is not below boot/, kernel/ or machine/, or whose ending does not suit its language. */
  badPath: "LT3013",
  /** A fence that is never closed. */
  unclosedFence: "LT3014",
  /** A tagged fence where Markdown sees no fence: in an HTML comment, in other HTML, in indented code. */
  hiddenFence: "LT3015",
  /** A line that looks like a slot and is none. */
  badSlot: "LT3016",
  /** A `-=` block that has lines. */
  removalWithBody: "LT3017",
  duplicateName: "LT3020",
  duplicateFile: "LT3021",
  /** `+=`, `:=`, `-=`, `after=` or `before=` names a chunk or file that is not defined by then. */
  unknownChunk: "LT3022",
  /** A chunk that contains itself. */
  cycle: "LT3023",
  /** A chunk that stands in no file of any snapshot. */
  unreachedChunk: "LT3024",
  /** A slot that no chapter fills. */
  unfilledSlot: "LT3025",
  /** A chunk that stands in one file twice. Two files may share a chunk. */
  usedTwice: "LT3026",
  /** A chunk whose files belong to different targets, or code of an appendix in a kernel. */
  wrongTarget: "LT3027",
  /** A chunk in another language than the file it reaches. */
  wrongLanguage: "LT3028",
  /** A variant that only an expectation speaks of. */
  unknownVariant: "LT3029",
  /** An edit in dist/ of a file that the book would tangle otherwise by now. */
  staleEdit: "LT3040",
  /** An edit in dist/ whose lines belong to more than one block, or lie on both sides of a slot. */
  acrossBlocks: "LT3041",
  /** Lines added or removed in dist/ that could belong to more than one block. */
  ambiguousEdit: "LT3042",
  /** A block that was edited differently in two files of dist/. */
  conflictingEdits: "LT3043",
  /** A line of an edit that cannot stand in its block: a slot, a fence, or indented too little. */
  unfitLine: "LT3044",
  /** A file that was added or deleted in dist/. */
  strangeFile: "LT3045",
  /** Tangling would overwrite or delete a file of dist/ that was edited and not carried back. */
  wouldBeLost: "LT3046",
} as const;
