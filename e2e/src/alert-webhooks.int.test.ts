import { createHmac } from 'node:crypto';
import { Receiver, type Received, vendorProblem, vendors } from '@nowcast/adapter-outgoing/testing';
import type { Channel, RulePreview, RuleTest } from '@nowcast/contract';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { AlertDesk, toChannel } from '../fixtures/alert-desk.ts';
import { patience } from '../fixtures/live-peer.ts';
import { type RunningServer, serve, startServer } from './server.ts';

const args = ['--no-collector', '--partitions', '2', '--allow-private-destinations', '127.0.0.1'];

let server: RunningServer;
let desk: AlertDesk;
const receivers: Receiver[] = [];
beforeAll(async () => {
  server = await startServer(args);
  desk = await AlertDesk.open(server);
});
afterAll(async () => {
  await server.destroy();
  for (const receiver of receivers) await receiver.stop();
});

async function receiver(answer?: Receiver['answer']): Promise<Receiver> {
  const made = await Receiver.start(answer === undefined ? {} : { answer });
  receivers.push(made);
  return made;
}

const fire = (metric: string, host = 'a') => desk.send({ metric_type: metric, labels: { host }, value: 99 });
const bodyOf = ({ body }: Received) => JSON.parse(body.toString()) as Record<string, unknown>;
const kinds = ({ received }: Receiver) => received.map((request) => bodyOf(request)['kind']);

function isSigned({ headers, body }: Received, { signing_secret: secret }: Channel): boolean {
  const [, seconds, mac] = /^t=(\d+),v1=([\da-f]{64})$/.exec(String(headers['nowcast-signature']))!;
  return mac === createHmac('sha256', secret!).update(`${seconds}.${body.toString()}`).digest('hex');
}

describe('webhooks of the real program', () => {
  it('a receiver that fails is tried again under one key, signed anew; one that is slow holds nobody up', async () => {
    const released = Promise.withResolvers<void>();
    const slow = await receiver((response) => void released.promise.then(() => response.end()));
    let refusals = 1;
    const failing = await receiver((response) => {
      response.statusCode = refusals-- > 0 ? 503 : 204;
      response.end();
    });
    const quick = await receiver();
    const channels = [
      await desk.makeWebhook('Slow', `${slow.url()}/in`),
      await desk.makeWebhook('Failing', `${failing.url()}/in`),
      await desk.makeWebhook('Quick', `${quick.url()}/in`),
    ];
    const rule = await desk.makeRule('cpu', channels.map(toChannel));
    const hosts = ['a', 'b', 'c', 'd', 'e', 'f'];
    for (const host of hosts) await fire('cpu', host);
    // All six reach the quick one while the slow one has answered nothing.
    await vi.waitFor(() => expect(kinds(quick)).toHaveLength(hosts.length), patience);
    await vi.waitFor(() => expect(failing.received.length).toBeGreaterThan(hosts.length), patience);
    const keys = failing.received.map(({ headers }) => headers['idempotency-key']);
    expect(new Set(keys).size).toBe(hosts.length);
    const [again] = keys.filter((key, index) => keys.indexOf(key) !== index);
    const [first, second] = failing.received.filter(({ headers }) => headers['idempotency-key'] === again);
    expect(second!.body.equals(first!.body)).toBe(true);
    expect(isSigned(first!, channels[1]!) && isSigned(second!, channels[1]!)).toBe(true);
    released.resolve();
    await vi.waitFor(() => {
      // Who waits too long for an answer asks again.
      const asked = new Set(slow.received.map(({ headers }) => headers['idempotency-key']));
      expect(asked.size).toBe(hosts.length);
    }, patience);
    await vi.waitFor(async () => {
      const ends = (await desk.inbox(rule.rule_id)).flatMap(({ deliveries }) => deliveries);
      expect(ends.filter(({ status }) => status === 'sent')).toHaveLength(hosts.length * 3);
    }, patience);
  });

  it.each([
    [
      'refuses for good',
      (response: Parameters<Receiver['answer']>[0]) => void response.writeHead(410).end(),
      /says that the address is gone \(410\)/,
    ],
    [
      'redirects',
      (response: Parameters<Receiver['answer']>[0]) =>
        void response.writeHead(302, { location: 'http://127.0.0.1:1/secret' }).end(),
      /redirects \(302\), which is not followed: write the final address/,
    ],
  ])('one that %s: the inbox says why, and its fallback has the message', async (name, answer, reason) => {
    const broken = await receiver(answer);
    const spare = await receiver();
    const fallback = await desk.makeWebhook(`Spare ${name}`, spare.url());
    const channel = await desk.makeWebhook(
      `Broken ${name}`,
      `${broken.url()}/secret-path`,
      {},
      fallback.channel_id,
    );
    const metric = name.replaceAll(' ', '_');
    const rule = await desk.makeRule(metric, [toChannel(channel)]);
    await fire(metric);
    await vi.waitFor(() => expect(kinds(spare)).toEqual(['firing']), patience);
    expect(broken.received).toHaveLength(1);
    const problem = await vi.waitFor(async () => {
      const found = (await desk.inbox(rule.rule_id)).find(({ kind }) => kind === 'delivery_problem');
      expect(found).toBeDefined();
      return found!;
    }, patience);
    expect(problem.message).toMatch(reason);
    expect(problem.message).toContain(`It is sent by "Spare ${name}" instead`);
    expect(problem.message).not.toContain('secret');
    const [listed] = (
      await desk.api.call<{ channels: Channel[] }>('GET', '/api/v1/channels')
    ).channels.filter(({ channel_id: id }) => id === channel.channel_id);
    expect(listed?.last).toMatchObject({ ok: false });
  });

  it('the test of a rule that is not saved arrives as its alert would, and says which receiver did not take it', async () => {
    const good = await receiver();
    const broken = await receiver((response) => void response.writeHead(503).end());
    const targets = [
      toChannel(await desk.makeWebhook('Takes it', good.url())),
      toChannel(await desk.makeWebhook('Does not', broken.url())),
    ];
    await desk.send({ metric_type: 'draft', labels: { host: 'web-3' }, value: 42 });
    const content = {
      ...desk.ruleBody('draft', targets),
      message: '{{labels.host}} is at {{value}} of {{limit}}',
    };
    // Once the value can be read.
    await vi.waitFor(async () => {
      const body = { evaluation: content.evaluation, range: '1h' };
      const preview = await desk.api.call<RulePreview>('POST', '/api/v1/rules/preview', { body });
      expect(preview.series).toHaveLength(1);
    }, patience);
    const answer = await desk.api.call<RuleTest>('POST', '/api/v1/rules/test', { body: { content } });
    expect(answer.deliveries).toMatchObject([
      { via: 'Takes it', status: 'sent', error: '' },
      { via: 'Does not', status: 'failed', error: expect.stringContaining('(503)') as string },
    ]);
    const [sent] = good.received;
    expect(bodyOf(sent!)).toMatchObject({
      kind: 'test',
      title: 'draft is high: web-3',
      severity: 'critical',
      message: expect.stringMatching(
        /is a test; nothing has happened.*\nweb-3 is at 42 % of 90 %$/,
      ) as string,
      url: `${server.url}/alerts`,
      alerts: [{ alert_id: 'test', labels: { host: 'web-3' }, value: 42, limit: 90 }],
    });
    expect(await desk.api.call('GET', '/api/v1/rules')).not.toMatchObject({
      rules: expect.arrayContaining([expect.objectContaining({ name: content.name })]) as unknown,
    });
    // Whoever sent it knows that it failed: it is not tried again, and no message says so.
    expect(broken.received).toHaveLength(1);
  });

  it('C13: what the operator did not open is refused before anything is dialled, however it is written', async () => {
    const inside = await Receiver.start({ host: '127.0.0.2' });
    receivers.push(inside);
    const spellings = ['127.0.0.2', '127.2', '2130706434', '0x7f000002', '[::ffff:127.0.0.2]', '[::1]'];
    const channels = [];
    for (const host of spellings) {
      channels.push(await desk.makeWebhook(`At ${host}`, `http://${host}:${inside.port}/`));
    }
    const rule = await desk.makeRule('inside', channels.map(toChannel));
    await fire('inside');
    const problems = async () =>
      (await desk.inbox(rule.rule_id)).filter(({ kind }) => kind === 'delivery_problem');
    await vi.waitFor(async () => expect(await problems()).toHaveLength(spellings.length), patience);
    for (const { message } of await problems()) {
      expect(message).toMatch(/is not on the public internet; the operator can open it/);
    }
    expect(inside.connections).toBe(0);
  });

  it('each service gets what it documents, for a label and a name that try everything', async () => {
    const services = await receiver();
    const secret = '0123456789abcdef0123456789abcdef';
    const channels = [];
    for (const format of vendors) {
      const path = format === 'telegram' ? '/bot1:token' : `/${format}`;
      channels.push(await desk.makeWebhook(format, `${services.url()}${path}`, { format, secret }));
    }
    const nasty = `<!channel> @everyone [x](https://evil.example) </b> " \\ ${'long '.repeat(150)}`;
    await desk.makeRule('nasty', channels.map(toChannel), {
      name: nasty.slice(0, 120),
      message: nasty.repeat(2),
      runbook_url: `https://wiki.example.com/?${'&'.repeat(700)}`,
    });
    await fire('nasty', nasty.slice(0, 200));
    await vi.waitFor(() => expect(services.received).toHaveLength(vendors.length), patience);
    await desk.send({ metric_type: 'nasty', labels: { host: nasty.slice(0, 200) }, value: 1 });
    await vi.waitFor(() => expect(services.received).toHaveLength(vendors.length * 2), patience);
    for (const { channel_id: id, name } of channels) {
      expect(await desk.test(`/api/v1/channels/${id}/test`)).toMatchObject({ status: 'sent', via: name });
    }
    expect(services.received).toHaveLength(vendors.length * 3);
    for (const { path, body } of services.received) {
      const format = vendors.find((vendor) => path.includes(vendor)) ?? 'telegram';
      expect([format, vendorProblem(format, body.toString())]).toEqual([format, undefined]);
    }
    const opened = services.received.slice(0, vendors.length * 2);
    const pagerduty = opened.filter(({ path }) => path.includes('pagerduty')).map(bodyOf);
    expect(pagerduty.map(({ event_action: action }) => action)).toEqual(['trigger', 'resolve']);
    expect(pagerduty[1]!['dedup_key']).toBe(pagerduty[0]!['dedup_key']);
    const [, closing] = opened.filter(({ path }) => path.includes('opsgenie'));
    expect(closing!.path).toMatch(/^\/opsgenie\/[\w-]+\/close\?identifierType=alias$/);
  });
});

it('what waits survives a kill -9, and its link leads to where the server is then', async () => {
  let isDown = true;
  const hook = await receiver((response) => {
    response.statusCode = isDown ? 503 : 200;
    response.end();
  });
  const channel = await desk.makeWebhook('Down', hook.url());
  await desk.makeRule('disk', [toChannel(channel)]);
  await fire('disk');
  await vi.waitFor(() => expect(hook.received).toHaveLength(1), patience);
  await server.kill();
  isDown = false;
  // The system chooses a port: it is another one.
  server = { ...server, ...(await serve(server.dataDir, { args })) };
  await vi.waitFor(() => expect(hook.received.length).toBeGreaterThan(1), patience);
  const [first, second] = hook.received;
  expect(second!.headers['idempotency-key']).toBe(first!.headers['idempotency-key']);
  expect(bodyOf(second!)['url']).toMatch(new RegExp(`^${server.url}/alerts/\\S+$`));
  expect(bodyOf(first!)['url']).not.toBe(bodyOf(second!)['url']);
});
