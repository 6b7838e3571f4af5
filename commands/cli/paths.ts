/** Paths as text: joined, cut, without asking any disk. @module */

/** `path` as seen from `folder`; absolute paths are themselves. */
export function joinPath(folder: string, path: string): string {
  if (isAbsolutePath(path) || folder === '' || folder === '.') return path;
  return folder.endsWith('/') ? `${folder}${path}` : `${folder}/${path}`;
}

/** The folder that holds `path`: `.` for a bare name. */
export function parentPath(path: string): string {
  const at = lastSlash(path);
  if (at === -1) return '.';
  return at === 0 ? '/' : path.slice(0, at);
}

/** What comes after the last slash; slashes at the end do not count. */
export function lastName(path: string): string {
  const plain = path.replace(/[/\\]+$/, '');
  return plain.slice(lastSlash(plain) + 1);
}

/** `~` and `~/…` in the folder of the user; a path from a file was seen by no shell. */
export function expandHome(
  path: string,
  env: Readonly<Record<string, string | undefined>>,
): string {
  const home = homeFolder(env);
  if (home === undefined || !/^~(?:\/|$)/.test(path)) return path;
  return path === '~' ? home : joinPath(home, path.slice(2));
}

/** Where the user's files are, by the environment. */
export function homeFolder(env: Readonly<Record<string, string | undefined>>): string | undefined {
  // Windows has the second.
  return env['HOME'] || env['USERPROFILE'] || undefined;
}

function isAbsolutePath(path: string): boolean {
  return /^(?:[/\\]|[a-z]:[/\\])/i.test(path);
}

/** Backslashes separate on Windows only, where no name can hold one. */
function lastSlash(path: string): number {
  return /^[a-z]:/i.test(path)
    ? Math.max(path.lastIndexOf('/'), path.lastIndexOf('\\'))
    : path.lastIndexOf('/');
}
