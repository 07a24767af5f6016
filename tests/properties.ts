/** fast-check as all property tests take it: with one seed, so that every run of the tests sees the same cases. */
import fc from "fast-check";

/** Another one finds other cases: `TAIJI_SEED=7 npm test -- literate`. */
const SEED = Number(process.env.TAIJI_SEED ?? 1);

fc.configureGlobal({ seed: SEED });

export default fc;
