/**
 * Places that no mount may show, whatever the allowlist says. Pure; names are compared without regard to case.
 *
 *   a credential's name anywhere in the path, or up to two levels inside the folder
 *   a tree of the system, or anything in it
 *   a folder that holds whole homes or whole systems: it itself, not what is in it
 *   Portolan's home, its project, the allowlist: it, what is in it, and what holds it
 */

/** Names of files and folders that hold keys, passwords or sessions, one to a component. */
const CREDENTIAL_NAMES: ReadonlySet<string> = new Set([
  ...['.ssh', '.gnupg', '.gpg', '.password-store', '.pki', 'keyrings', 'keychains'],
  ...['.aws', '.azure', '.kube', '.docker', '.oci', '.doctl', '.terraform.d', '.vault-token', '.minikube', '.helm'],
  ...['.netrc', '_netrc', '.npmrc', '.yarnrc', '.yarnrc.yml', '.pypirc', '.git-credentials', '.gem', '.m2'],
  ...['.pgpass', '.my.cnf', '.mylogin.cnf', '.boto', '.s3cfg', '.rclone.conf', '.env', '.envrc', '.htpasswd'],
  ...['.mozilla', '.thunderbird', '.electrum', '.bitcoin', '.ethereum', '.wallet', '.claude', '.codex'],
]);

/** Two components in a row: `.config/gcloud`. */
const CREDENTIAL_PAIRS: ReadonlySet<string> = new Set([
  ...['.config/gcloud', '.config/gh', '.config/hub', '.config/git', '.config/op', '.config/rclone', '.config/doctl'],
  ...[
    '.config/google-chrome',
    '.config/chromium',
    '.config/bravesoftware',
    '.config/microsoft-edge',
    '.config/vivaldi',
  ],
  ...['.config/opera', '.config/discord', '.config/slack', '.config/signal', '.config/keepassxc', '.config/portolan'],
  ...['.cargo/credentials', '.cargo/credentials.toml', '.var/app', 'snap/firefox', 'snap/chromium'],
  ...['application support/google', 'application support/firefox', 'docker/run'],
]);

/** Key files, by the shape of their names. */
const CREDENTIAL_SHAPES: readonly RegExp[] = [
  // SSH keys, and their public halves: who has one has the other beside it.
  /^id_[a-z0-9_-]+(?:\.pub)?$/,
  /^\.env\..+$/,
  /\.(?:kdbx|p12|pfx|jks|keystore|ppk)$/,
  /^(?:docker|containerd|podman|crio)\.sock$/,
];
/** Of `.env.…`, those that are made to be shown. */
const HARMLESS = /^\.env\.(?:example|sample|template|dist)$/;

const SYSTEM_TREES = [
  ...['/etc', '/proc', '/sys', '/dev', '/boot', '/run', '/var/run', '/lost+found'],
  ...['/var/lib/docker', '/var/lib/containerd', '/var/lib/containers', '/var/lib/kubelet', '/var/lib/snapd'],
  ...['/var/spool/cron', '/var/lib/sss', '/var/lib/systemd', '/var/backups', '/usr/lib/systemd', '/lib/systemd'],
];
const HOLDERS = [
  '/',
  '/root',
  '/home',
  '/users',
  '/var',
  '/var/lib',
  '/usr',
  '/lib',
  '/bin',
  '/sbin',
  '/opt',
  '/mnt',
  '/media',
];

/** Whether `path` is `folder` or lies in it. Both absolute and normal. */
export function isWithin(path: string, folder: string): boolean {
  return path === folder || path.startsWith(folder === '/' ? '/' : `${folder}/`);
}

/** The credential that a path leads to, or through; null when none does. */
export function findCredential(path: string): string | null {
  const parts = path.split('/').filter((part) => part !== '');
  for (const [at, part] of parts.entries()) {
    if (isCredentialName(part)) return part;
    const pair = `${parts[at - 1] ?? ''}/${part}`;
    if (isCredentialPair(pair)) return pair;
  }
  return null;
}

function isCredentialName(name: string): boolean {
  const low = name.normalize('NFKC').toLowerCase();
  return CREDENTIAL_NAMES.has(low) || (!HARMLESS.test(low) && CREDENTIAL_SHAPES.some((shape) => shape.test(low)));
}

function isCredentialPair(pair: string): boolean {
  return CREDENTIAL_PAIRS.has(pair.normalize('NFKC').toLowerCase());
}

/** Why a folder is the system's or holds others' homes; null when it is neither. */
export function findSystem(path: string, userHome: string): string | null {
  const low = path.toLowerCase();
  const tree = SYSTEM_TREES.find((folder) => isWithin(low, folder));
  if (tree !== undefined) return `${tree} is the system's`;
  if (HOLDERS.includes(low)) return `${path} holds more than one may see at once: choose a folder in it`;
  if (path === userHome || /^\/(?:home|users)\/[^/]+$/.test(low))
    return `${path} is a whole home folder: choose a folder in it`;
  return null;
}
