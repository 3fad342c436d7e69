import type { Clock } from '@nowcast/kernel';
import type {
  DeliveryOutcome,
  Destination,
  DestinationCheck,
  Outgoing,
  OutgoingDelivery,
} from '@nowcast/ports';
import { type GuardedHttp, type GuardedRequest, parseUrl } from './guarded-http.ts';
import { Mailer } from './mail/mailer.ts';
import type { SmtpSettings } from './mail/smtp-settings.ts';
import { failure, failureOf, outcomeOf, secretsOfUrl } from './outcome.ts';
import { pushRequest } from './push/push-request.ts';
import { Vapid, type VapidKeys } from './push/vapid.ts';
import { webhookProblem, webhookRequest } from './webhook/webhook-request.ts';

export interface NetworkOutgoingOptions {
  /** To webhooks: administrators name them. */
  http: GuardedHttp;
  /** Undefined: no mail, and each attempt says so. */
  smtp: SmtpSettings | undefined;
  push: VapidKeys & {
    /** Whom push services may write to: `mailto:` or `https:`. */
    subject: string;
    /** To push services: everybody names one by their browser, so what is opened for webhooks is not open here. */
    http: GuardedHttp;
  };
  clock: Clock;
}

interface Answered {
  outcome: DeliveryOutcome;
  status: number;
}

/** Of an answer's body; only its beginning is ever shown. */
const maxAnswerBytes = 4096;

/** The world over the network: webhooks and push services through the guard, mail over SMTP. */
export class NetworkOutgoing implements Outgoing, DestinationCheck {
  readonly email: boolean;
  readonly pushPublicKey: string;
  readonly #http: GuardedHttp;
  readonly #pushHttp: GuardedHttp;
  readonly #mailer: Mailer | undefined;
  readonly #vapid: Vapid;
  readonly #clock: Clock;

  /** Throws `request.invalid` for keys or a subject that cannot be used. */
  constructor(options: NetworkOutgoingOptions) {
    this.#http = options.http;
    this.#pushHttp = options.push.http;
    this.#mailer = options.smtp === undefined ? undefined : new Mailer(options.smtp);
    this.#vapid = new Vapid(options.push, options.push.subject);
    this.#clock = options.clock;
    this.email = this.#mailer !== undefined;
    this.pushPublicKey = this.#vapid.publicKey;
  }

  async send(delivery: OutgoingDelivery, signal: AbortSignal): Promise<DeliveryOutcome> {
    const { destination } = delivery;
    const secrets = secretsOf(destination);
    try {
      switch (destination.kind) {
        case 'webhook': {
          const request = webhookRequest(destination, delivery, this.#clock.now());
          return (await this.#post(this.#http, { ...request, signal }, secrets)).outcome;
        }
        case 'email':
          if (this.#mailer === undefined) return failure('no mail server is configured (--smtp-url)');
          return await this.#mailer.send(delivery, destination.to, signal);
        default: {
          const request = pushRequest(destination, delivery, this.#vapid, this.#clock.now());
          const guarded = { ...request, signal, secureOnly: true };
          return pushOutcome(await this.#post(this.#pushHttp, guarded, secrets));
        }
      }
    } catch (error) {
      return failureOf(error, secrets);
    }
  }

  problem(destination: Destination): string | undefined {
    return destination.kind === 'webhook' ? webhookProblem(destination) : undefined;
  }

  async #post(
    http: GuardedHttp,
    request: Pick<GuardedRequest, 'url' | 'headers' | 'signal' | 'secureOnly'> & { body: string | Buffer },
    secrets: readonly string[],
  ): Promise<Answered> {
    const response = await http.request({
      ...request,
      method: 'POST',
      maxBytes: maxAnswerBytes,
      read: 'failures',
    });
    const host = parseUrl(request.url).host;
    const outcome = outcomeOf(response, host, this.#clock.now(), secrets);
    return { outcome, status: response.status };
  }
}

/** A push service answers 404 or 410 for a subscription that ended (RFC 8030, 7.3). */
function pushOutcome({ outcome, status }: Answered): DeliveryOutcome {
  if (outcome.ok || (status !== 404 && status !== 410)) return outcome;
  return failure('this device is no longer subscribed', { gone: true });
}

function secretsOf(destination: Destination): string[] {
  switch (destination.kind) {
    case 'webhook':
      return [destination.secret, destination.signingSecret, ...secretsOfUrl(destination.url)];
    case 'push':
      return [destination.auth, destination.p256dh, ...secretsOfUrl(destination.endpoint)];
    default:
      return [];
  }
}
