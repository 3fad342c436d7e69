import { Bell, Compass, House, LayoutDashboard, RadioTower, ShieldCheck, UserRound } from 'lucide-react';
import type { User } from '@nowcast/contract';
import { mayAdminister } from './use-me.ts';

export const places = [
  { to: '/', title: 'Home', icon: House },
  { to: '/boards', title: 'Boards', icon: LayoutDashboard },
  { to: '/explore', title: 'Explore', icon: Compass },
  { to: '/alerts', title: 'Alerts', icon: Bell },
  { to: '/sources', title: 'Sources', icon: RadioTower },
  { to: '/admin', title: 'Admin', icon: ShieldCheck },
] as const;

/** Bottom tabs of a phone; exploring, sources and administration are under "You". */
export const tabs = [
  { to: '/', title: 'Home', icon: House },
  { to: '/boards', title: 'Boards', icon: LayoutDashboard },
  { to: '/alerts', title: 'Alerts', icon: Bell },
  { to: '/profile', title: 'You', icon: UserRound },
] as const;

export function placesOf(user: User): readonly (typeof places)[number][] {
  return places.filter((place) => {
    if (place.to === '/admin') return mayAdminister(user);
    return place.to !== '/sources' || user.role !== 'viewer';
  });
}
