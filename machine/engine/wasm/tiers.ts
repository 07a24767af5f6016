/** When code is translated, and how. */
import { MOST_FORMS } from "./forms.ts";

export interface Tiers {
  /** Arrivals that the engine sees at a place, in the evaluator or between regions, after which it is hot. */
  readonly hot: number;
  /** Arrivals in the quick tier after which a place is hot; null for no quick tier. */
  readonly hotForms: number | null;
  /** Instructions after power-on that no forms are made for: most of what a PC that starts does, it does once. */
  readonly formsFrom: number;
  /** Forms are made when they are first met, and functions for all blocks. */
  readonly eagerForms: boolean;
  /** Times that regions leave at an access that the TLB alone does not allow, before they have the runtime do it. */
  readonly special: number;
  /** Hot places that share a module; null for more and more, as there are more modules. */
  readonly batch: number | null;
  /** Forms that may be known, before all is forgotten and begun anew. */
  readonly mostForms: number;
}

export const NORMAL: Tiers = {
  hot: 60,
  hotForms: 200,
  formsFrom: 0,
  eagerForms: false,
  special: 4,
  batch: null,
  mostForms: MOST_FORMS,
};
export const EAGER: Tiers = { ...NORMAL, hot: 1, hotForms: null, special: 1, batch: 1 };
export const FORMS_ONLY: Tiers = { ...NORMAL, hot: 0xfffe, hotForms: 0x10000, eagerForms: true };
