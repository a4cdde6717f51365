// The relay's program with its command line, on a disk that keeps a shadow. How the shadow is kept comes in the environment, as JSON.
import { runCommandLine } from "../command-line";
import { ShadowDisk } from "./shadow-disk";

runCommandLine(new ShadowDisk(JSON.parse(process.env.SALESTAG_TEST_SHADOW ?? "")));
