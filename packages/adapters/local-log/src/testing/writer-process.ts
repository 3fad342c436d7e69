/**
 * A process that appends for ever, to be killed or to be run into faults: `node writer-process.ts <directory> <first>`.
 * Entry n goes to partition n mod 3 and says n. Prints `ready <process id>` once open, `ack <n> <offset>` for what was
 * acknowledged, `refused <n> <code>` for what was not; ends with code 3 after twenty refusals.
 */
import { isAppError } from '@nowcast/kernel';
import { LocalEventLog } from '../local-event-log.ts';

const [directory = '', first = '0'] = process.argv.slice(2);
const log = new LocalEventLog({ directory, partitions: 3, segmentBytes: 256 * 1024 });
let next = Number(first);
let refusals = 0;

function say(line: string): void {
  process.stdout.write(`${line}\n`);
}

async function writeForEver(): Promise<void> {
  while (refusals < 20) {
    const n = next++;
    const payload = Buffer.from(`${n}`.padEnd(n % 7 === 0 ? 5000 : 60, '.'));
    try {
      const [offset] = await log.append([{ partition: n % 3, payload }]);
      say(`ack ${n} ${offset}`);
    } catch (error) {
      refusals += 1;
      say(`refused ${n} ${isAppError(error) ? error.code : String(error)}`);
    }
  }
}

await log.run();
say(`ready ${process.pid}`);
await Promise.all(Array.from({ length: 6 }, writeForEver));
process.exitCode = 3;
await log.stop();
