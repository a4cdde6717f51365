// The relay as a program on the machine's own disk.
import { runCommandLine } from "./command-line";
import { nodeDisk } from "./disk";

runCommandLine(nodeDisk);
