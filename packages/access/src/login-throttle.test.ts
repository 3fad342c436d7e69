import { ManualClock } from '@nowcast/kernel';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type LoginAttempt, LoginThrottle } from './login-throttle.ts';

const minute = 60_000;
const hour = 60 * minute;

function attempt(change: Partial<LoginAttempt> = {}): LoginAttempt {
  return {
    account: 'ada',
    exists: true,
    network: '198.51.100.1',
    knownNetwork: false,
    knownDevice: undefined,
    ...change,
  };
}

describe('LoginThrottle', () => {
  it('C4 lets at most 20 of 10,000 guesses through, however they are spread over networks and an hour', () => {
    const networks = fc.constantFrom(1, 3, 50, 10_000);
    const spanMs = fc.constantFrom(0, 10_000, 10 * minute, hour);
    fc.assert(
      fc.property(networks, spanMs, fc.boolean(), (count, span, exists) => {
        const clock = new ManualClock(1_000_000);
        const throttle = new LoginThrottle(clock);
        let verified = 0;
        for (let i = 0; i < 10_000; i += 1) {
          const admission = throttle.admit(attempt({ network: `network ${i % count}`, exists }));
          if (admission.admitted) verified += 1;
          clock.advance(span / 10_000);
        }
        expect(verified).toBeLessThanOrEqual(20);
        expect(verified).toBeGreaterThan(0);
      }),
      { numRuns: 20 },
    );
  });

  it('C4 never makes the victim wait on a known device or network while strangers guess', () => {
    const clock = new ManualClock(0);
    const throttle = new LoginThrottle(clock);
    for (let i = 0; i < 2000; i += 1) throttle.admit(attempt({ network: `bot ${i}` }));
    expect(throttle.admit(attempt({ network: 'new place' })).admitted).toBe(false);
    const home = { network: 'home', knownNetwork: true };
    for (let i = 0; i < 50; i += 1) {
      const fromHome = throttle.admit(attempt(home));
      expect(fromHome.admitted).toBe(true);
      if (fromHome.admitted) fromHome.succeeded();
    }
    // The attacker sits in the victim's own network: the device still gets in.
    for (let i = 0; i < 100; i += 1) throttle.admit(attempt(home));
    expect(throttle.admit(attempt(home)).admitted).toBe(false);
    expect(throttle.admit(attempt({ ...home, knownDevice: 'phone' })).admitted).toBe(true);
  });

  it('C4 leaves the door open to a new place while a single network guesses for hours', () => {
    const clock = new ManualClock(0);
    const throttle = new LoginThrottle(clock);
    for (let second = 0; second < 3 * 3600; second += 1) {
      throttle.admit(attempt({ network: 'attacker' }));
      clock.advance(1000);
    }
    const victim = throttle.admit(attempt({ network: 'hotel' }));
    if (!victim.admitted) expect(victim.retryAfterMs).toBeLessThanOrEqual(20_000);
    clock.advance(20_000);
    expect(victim.admitted || throttle.admit(attempt({ network: 'hotel' })).admitted).toBe(true);
  });

  it('C4 slows a network that tries one password on many accounts', () => {
    const throttle = new LoginThrottle(new ManualClock(0));
    let verified = 0;
    for (let i = 0; i < 1000; i += 1)
      if (throttle.admit(attempt({ account: `user ${i}` })).admitted) verified += 1;
    expect(verified).toBe(30);
    expect(throttle.admit(attempt({ account: 'user 1', network: 'another' })).admitted).toBe(true);
  });

  it('does not charge refused attempts, so hammering prolongs nothing', () => {
    const clock = new ManualClock(0);
    const throttle = new LoginThrottle(clock);
    for (let i = 0; i < 3; i += 1) throttle.admit(attempt());
    for (let i = 0; i < 500; i += 1) throttle.admit(attempt());
    expect(throttle.admit(attempt())).toEqual({ admitted: false, retryAfterMs: minute });
    clock.advance(minute);
    expect(throttle.admit(attempt()).admitted).toBe(true);
  });

  it('forgets the failures of a place once its password was right', () => {
    const throttle = new LoginThrottle(new ManualClock(0));
    const home = attempt({ network: 'home', knownNetwork: true });
    for (let round = 0; round < 100; round += 1) {
      throttle.admit(home);
      throttle.admit(home);
      const right = throttle.admit(home);
      expect(right.admitted).toBe(true);
      if (right.admitted) right.succeeded();
    }
  });

  it('takes a charge back when the password was never looked at', () => {
    const throttle = new LoginThrottle(new ManualClock(0));
    for (let i = 0; i < 200; i += 1) {
      const admission = throttle.admit(attempt());
      expect(admission.admitted).toBe(true);
      if (admission.admitted) admission.cancelled();
    }
  });
});
