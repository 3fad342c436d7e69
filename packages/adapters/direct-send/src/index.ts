export { openDirectSend } from './open-direct-send.ts';
