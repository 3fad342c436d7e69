import { Link } from '@tanstack/react-router';
import { LogOut } from 'lucide-react';
import { Button } from '../../ui/button.tsx';
import { PageHead } from '../../ui/states.tsx';
import { logOut } from '../shell/account-menu.tsx';
import { useCrumb } from '../shell/crumb.ts';
import { placesOf } from '../shell/nav.ts';
import { useMe } from '../shell/use-me.ts';
import { PasswordForm } from './password-form.tsx';
import { PreferencesForm } from './preferences-form.tsx';
import { Sessions } from './sessions.tsx';

/** `/profile`: one's own name, looks, password and sessions. On phones also the way to everything else. */
export function ProfilePage() {
  useCrumb('Profile');
  const user = useMe();
  const more = placesOf(user).filter((place) => ['/explore', '/sources', '/admin'].includes(place.to));
  return (
    <div className="mx-auto max-w-3xl pt-6">
      <PageHead title={user.name} text={`${user.email} · ${user.role} of ${user.tenant_name}`}>
        <Button onPress={() => void logOut()}>
          <LogOut size={15} aria-hidden />
          Log out
        </Button>
      </PageHead>
      {more.length > 0 && (
        <nav aria-label="More" className="card mb-6 divide-y divide-line sm:hidden">
          {more.map(({ to, title, icon: Icon }) => (
            <Link key={to} to={to} className="flex h-12 items-center gap-3 px-4 font-medium">
              <Icon size={18} className="text-muted" aria-hidden />
              {title}
            </Link>
          ))}
        </nav>
      )}
      <PreferencesForm user={user} />
      <PasswordForm />
      <Sessions />
    </div>
  );
}
