/** Copyable first steps, with the real address and the real key in them. */
export interface Snippet {
  id: string;
  title: string;
  /** What to do with it. */
  text: string;
  code: (address: string, key: string) => string;
}

export const snippets: readonly Snippet[] = [
  {
    id: 'curl',
    title: 'curl',
    text: 'Run this in a terminal.',
    code: (address, key) => `curl ${address}/api/v1/ingest \\
  -H 'Authorization: Bearer ${key}' \\
  -H 'Content-Type: application/json' \\
  -d '{"metric_type": "coffee_temperature", "value": 68.5, "labels": {"cup": "mine"}}'`,
  },
  {
    id: 'node',
    title: 'Node',
    text: 'Save as send.mjs and run node send.mjs (Node 18 or newer).',
    code: (address, key) => `setInterval(async () => {
  const answer = await fetch('${address}/api/v1/ingest', {
    method: 'POST',
    headers: { authorization: 'Bearer ${key}', 'content-type': 'application/json' },
    body: JSON.stringify({ metric_type: 'dice', value: 1 + Math.floor(Math.random() * 6), labels: { player: 'node' } }),
  });
  console.log(answer.status, await answer.text());
}, 1000);`,
  },
  {
    id: 'python',
    title: 'Python',
    text: 'Save as send.py and run python3 send.py. Nothing to install.',
    code: (address, key) => `import json, random, time, urllib.request

while True:
    point = {"metric_type": "dice", "value": random.randint(1, 6), "labels": {"player": "python"}}
    request = urllib.request.Request(
        "${address}/api/v1/ingest",
        json.dumps(point).encode(),
        {"Authorization": "Bearer ${key}", "Content-Type": "application/json"},
    )
    print(urllib.request.urlopen(request).read().decode())
    time.sleep(1)`,
  },
  {
    id: 'telegraf',
    title: 'Telegraf',
    text: 'Add this to telegraf.conf and restart Telegraf.',
    code: (address, key) => `[[outputs.influxdb_v2]]
  urls = ["${address}"]
  token = "${key}"
  organization = "nowcast"
  bucket = "nowcast"`,
  },
  {
    id: 'influxdb',
    title: 'InfluxDB client',
    text: 'npm install @influxdata/influxdb-client, save as send.mjs, run node send.mjs. Clients of other languages want the same four values.',
    code: (address, key) => `import { InfluxDB, Point } from '@influxdata/influxdb-client';

const influx = new InfluxDB({ url: '${address}', token: '${key}' });
const writer = influx.getWriteApi('nowcast', 'nowcast', 'ms');
writer.writePoint(new Point('room').tag('floor', '2').floatField('temperature', 21.5));
await writer.close();`,
  },
  {
    id: 'line',
    title: 'Line protocol',
    text: 'Influx line protocol; timestamps are nanoseconds unless precision says otherwise.',
    code: (address, key) => `curl '${address}/api/v2/write?precision=ms' \\
  -H 'Authorization: Token ${key}' \\
  --data-binary "weather,city=berlin temperature=21.5,humidity=0.43 $(date +%s)000"`,
  },
  {
    id: 'ndjson',
    title: 'NDJSON',
    text: 'One point a line; good for files and pipes.',
    code: (address, key) => `curl ${address}/api/v1/ingest \\
  -H 'Authorization: Bearer ${key}' \\
  -H 'Content-Type: application/x-ndjson' \\
  --data-binary @- <<'END'
{"metric_type": "sale_eur", "value": 12.5, "labels": {"shop": "north"}, "actor": "ann"}
{"metric_type": "sale_eur", "value": 7.9, "labels": {"shop": "south"}, "message": "two coffees"}
END`,
  },
];
