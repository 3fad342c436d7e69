import type { OptionTable } from './option.ts';

/** Options of `nowcast serve` for what it sends: mail, webhooks, push messages. */
export const outgoingOptions = {
  messages: {
    kind: 'switch',
    flag: 'messages',
    default: true,
    help: 'Send what alerts say; without, it is decided and kept, as for a copy of an installation that is to be looked at',
  },
  smtpUrl: {
    kind: 'text',
    flag: 'smtp-url',
    placeholder: 'URL',
    help: 'Mail server, as in smtp://user@mail.example.com:587 (STARTTLS) or smtps://…:465; without it no mail is sent',
  },
  smtpPassword: {
    kind: 'text',
    flag: 'smtp-password',
    placeholder: 'P',
    environmentOnly: true,
    help: 'Password of the user in --smtp-url',
  },
  smtpPasswordFile: {
    kind: 'text',
    flag: 'smtp-password-file',
    placeholder: 'FILE',
    help: 'File that holds this password instead',
  },
  smtpAllowPlain: {
    kind: 'switch',
    flag: 'smtp-allow-plain',
    default: false,
    help: 'Send mail beyond this machine without TLS too, or with a certificate that cannot be checked',
  },
  mailFrom: {
    kind: 'text',
    flag: 'mail-from',
    placeholder: 'ADDRESS',
    help: 'Sender of mail: alerts@example.com or "Nowcast <alerts@example.com>"; needed with --smtp-url',
  },
  pushContact: {
    kind: 'text',
    flag: 'push-contact',
    placeholder: 'URL',
    defaultText: 'the address of --mail-from, else --public-url',
    help: 'Whom the makers of browsers may write to about push messages: mailto:ops@example.com or an https address',
  },
  allowPrivateDestinations: {
    kind: 'list',
    flag: 'allow-private-destinations',
    placeholder: 'HOST,…',
    default: [],
    help: 'Hosts (hooks.lan, hooks.lan:8080) and networks (10.0.0.0/8) beyond the public internet that webhooks may reach',
  },
  allowPrivatePushServices: {
    kind: 'list',
    flag: 'allow-private-push-services',
    placeholder: 'HOST,…',
    default: [],
    help: 'Push services of your own beyond the public internet; whoever signs in may make this server write to them',
  },
} as const satisfies OptionTable;
