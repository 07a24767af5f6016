/** Walks over the tokens of one line; knows what names on it mean. */
import type { Mode } from "#isa/instruction.ts";
import { SyntaxProblem, type Token } from "./lexer.ts";

export class TokenReader {
  private at = 0;

  constructor(
    private readonly tokens: readonly Token[],
    readonly mode: Mode,
    /** The label that names starting with a dot belong to. */
    public parent: string,
    /** What `{0}`, `{1}` … stand for. */
    private readonly placeholders: readonly string[],
  ) {}

  peek(ahead = 0): Token {
    return this.tokens[Math.min(this.at + ahead, this.tokens.length - 1)]!;
  }

  next(): Token {
    const token = this.peek();
    if (this.at < this.tokens.length - 1) this.at++;
    return token;
  }

  /** Takes the next token where it is this mark. */
  accept(mark: string): boolean {
    const token = this.peek();
    if (token.kind !== "mark" || token.text !== mark) return false;
    this.next();
    return true;
  }

  /** Takes the next token where it is one of these words in any case, and gives the word. */
  acceptWord(...words: string[]): string | null {
    const token = this.peek();
    if (token.kind !== "word") return null;
    const word = words.find((candidate) => candidate === token.text.toLowerCase());
    if (word !== undefined) this.next();
    return word ?? null;
  }

  expect(mark: string): void {
    const token = this.peek();
    if (this.accept(mark)) return;
    const found = token.kind === "end" ? "the line ends" : `${token.text} stands`;
    throw new SyntaxProblem("AS2003", `${found} where ${mark} should stand`, token.column);
  }

  get atEnd(): boolean {
    return this.peek().kind === "end";
  }

  expectEnd(): void {
    const token = this.peek();
    if (!this.atEnd) throw new SyntaxProblem("AS2003", `${token.text} is too much on this line`, token.column);
  }

  /** The full name of a symbol: `.loop` under `start` is `start.loop`. */
  symbolName(token: Token): string {
    return token.text.startsWith(".") ? this.parent + token.text : token.text.replace(/^\$(?=\w)/, "");
  }

  /** What a placeholder stands for. */
  substitute(token: Token): string {
    const name = this.placeholders[Number(token.text)];
    if (name !== undefined) return name;
    throw new SyntaxProblem("AS2003", `there is no operand {${token.text}}`, token.column);
  }
}
