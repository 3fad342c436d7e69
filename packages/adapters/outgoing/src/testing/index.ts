export { hostileTexts } from './hostile-texts.ts';
export { MailServer, type ReceivedMail, readMail } from './mail-server.ts';
export { PushBrowser, vapidClaims } from './push-browser.ts';
export { pixelsOf, readPng } from './read-png.ts';
export { Receiver, type Received } from './receiver.ts';
export { vendorProblem, vendors } from './vendor-schemas.ts';
