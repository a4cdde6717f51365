// mocha's list of tests, with a last line that a machine can read: `N passed, N failed`, and how many were skipped.
const { reporters } = require("mocha");

module.exports = class SalesTagReporter extends reporters.Spec {
  done(failures, finished) {
    const { passes, failures: failed, pending } = this.stats;
    console.log(`${passes} passed, ${failed} failed${pending > 0 ? `, ${pending} skipped` : ""}`);
    if (finished) finished(failures);
  }
};
