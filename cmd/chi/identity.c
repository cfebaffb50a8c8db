#include "cmd/chi/identity.h"

#include <dirent.h>
#include <errno.h>
#include <jansson.h>
#include <pwd.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cmd/chi/disk.h"
#include "cmd/chi/proc.h"

enum { FILE_MAX = 65536 };
/* What a file may ask of this machine. */
#define OPS_MAX 16
#define MEMORY_MAX (UINT64_C(1) << 30)

static const char suffix[] = ".id";

/* ---- names and places ---- */

static bool name_fits(const char *s) {
  size_t n = strlen(s);
  if (n == 0 || n > IDENTITY_NAME_MAX || !identity_valid(s, n) ||
      s[0] == '.' || s[0] == '-')
    return false;
  for (size_t i = 0; i < n; i++)
    if (!((s[i] >= 'a' && s[i] <= 'z') || (s[i] >= 'A' && s[i] <= 'Z') ||
          (s[i] >= '0' && s[i] <= '9') || strchr("._-", s[i]) != NULL))
      return false;
  uint8_t key[32];
  return n != 64 || chi_unhex(key, 32, s) != CHI_OK;
}

static bool check_name(cli *c, const char *name) {
  if (name_fits(name))
    return true;
  diag_report_nowhere(c->dg, DIAG_IDENTITY_NAME,
                      text_shown(c->a, name, strlen(name)));
  return false;
}

static const char *folder(cli *c) {
  const char *base = getenv("XDG_CONFIG_HOME");
  if (base != NULL && base[0] == '/')
    return arena_printf(c->a, "%s/chirograph/identities", base);
  const char *home = getenv("HOME");
  if (home == NULL || home[0] != '/') {
    const struct passwd *pw = getpwuid(getuid());
    home = pw != NULL ? pw->pw_dir : "/";
  }
  return arena_printf(c->a, "%s/.config/chirograph/identities", home);
}

static const char *path_of(cli *c, const char *name) {
  return arena_printf(c->a, "%s/%s%s", folder(c), name, suffix);
}

/* ---- the file ---- */

static void put_hex(json_t *o, const char *key, const uint8_t *p, size_t n) {
  char text[2 * 64 + 1];
  chi_hex(text, p, n);
  json_object_set_new(o, key, json_string(text));
}

static char *file_text(const identity_file *f) {
  json_t *seal = json_object(), *o = json_object();
  if (f->kind == SEAL_PASSPHRASE) {
    json_object_set_new(seal, "kind", json_string("passphrase"));
    put_hex(seal, "salt", f->salt, sizeof f->salt);
    json_object_set_new(seal, "ops", json_integer((json_int_t)f->ops));
    json_object_set_new(seal, "memory", json_integer((json_int_t)f->memory));
  } else {
    json_object_set_new(seal, "kind", json_string("key-file"));
    json_object_set_new(seal, "path", json_string(f->key_path));
  }
  json_object_set_new(o, "format", json_integer(1));
  put_hex(o, "public", f->pub, sizeof f->pub);
  json_object_set_new(o, "seal", seal);
  put_hex(o, "nonce", f->nonce, sizeof f->nonce);
  put_hex(o, "box", f->box, sizeof f->box);
  char *text = json_dumps(o, JSON_INDENT(2));
  json_decref(o);
  return text;
}

static bool get_hex(const json_t *o, const char *key, uint8_t *out,
                    size_t n) {
  const char *s = json_string_value(json_object_get(o, key));
  return s != NULL && chi_unhex(out, n, s) == CHI_OK;
}

static bool get_seal(cli *c, const json_t *s, identity_file *f) {
  const char *kind = json_string_value(json_object_get(s, "kind"));
  if (kind != NULL && strcmp(kind, "key-file") == 0) {
    const char *path = json_string_value(json_object_get(s, "path"));
    f->kind = SEAL_KEY_FILE;
    f->key_path = path != NULL ? arena_strdup(c->a, path) : NULL;
    return path != NULL;
  }
  json_int_t ops = json_integer_value(json_object_get(s, "ops"));
  json_int_t memory = json_integer_value(json_object_get(s, "memory"));
  f->kind = SEAL_PASSPHRASE;
  f->ops = (uint64_t)ops;
  f->memory = (uint64_t)memory;
  return kind != NULL && strcmp(kind, "passphrase") == 0 &&
         get_hex(s, "salt", f->salt, sizeof f->salt) && ops >= 1 &&
         ops <= OPS_MAX && memory >= (json_int_t)crypto_pwhash_MEMLIMIT_MIN &&
         memory <= (json_int_t)MEMORY_MAX;
}

static bool parse(cli *c, const char *text, size_t n, identity_file *f) {
  json_t *o = json_loadb(text, n, JSON_REJECT_DUPLICATES, NULL);
  bool ok = json_integer_value(json_object_get(o, "format")) == 1 &&
            get_hex(o, "public", f->pub, sizeof f->pub) &&
            get_seal(c, json_object_get(o, "seal"), f) &&
            get_hex(o, "nonce", f->nonce, sizeof f->nonce) &&
            get_hex(o, "box", f->box, sizeof f->box);
  json_decref(o);
  return ok;
}

/* Names of all files, sorted. */
static const char **names(cli *c, size_t *n) {
  const char *dir = folder(c), **list = NULL;
  DIR *d = opendir(dir);
  struct dirent *e;
  *n = 0;
  while (d != NULL && (e = readdir(d)) != NULL) {
    size_t k = strlen(e->d_name), end = sizeof suffix - 1;
    if (k <= end || strcmp(e->d_name + k - end, suffix) != 0)
      continue;
    const char *name = arena_strndup(c->a, e->d_name, k - end);
    if (!name_fits(name))
      continue;
    if ((*n & (*n - 1)) == 0)
      list = arena_grow(c->a, list, *n, 2 * *n + 1, sizeof *list);
    list[(*n)++] = name;
  }
  if (d != NULL)
    closedir(d);
  return list;
}

static bool unknown(cli *c, const char *name) {
  size_t n;
  const char **list = names(c, &n);
  const char *near = text_near(name, list, n);
  diag_report_nowhere(c->dg, DIAG_IDENTITY_UNKNOWN, name);
  if (near != NULL)
    diag_hint(c->dg, "Did you mean \"%s\"?", near);
  else
    diag_hint(c->dg, "Make it: chi new identity %s.", name);
  return false;
}

static bool load(cli *c, const char *name, identity_file *f) {
  if (!check_name(c, name))
    return false;
  const char *path = path_of(c, name), *why = NULL;
  size_t n;
  char *text = disk_read(c->a, path, FILE_MAX, &n);
  if (text == NULL && errno == ENOENT)
    return unknown(c, name);
  if (text == NULL)
    why = strerror(errno);
  else if (!parse(c, text, n, f))
    why = "it is no identity file, or it was changed";
  if (why != NULL)
    diag_report_nowhere(c->dg, DIAG_IDENTITY_FILE, path, why);
  return why == NULL;
}

/* ---- what others call ---- */

static bool start_crypto(cli *c) {
  if (sodium_init() >= 0)
    return true;
  diag_report_nowhere(c->dg, DIAG_SYSTEM, "make a key", "no randomness");
  return false;
}

static bool make_folder(cli *c) {
  const char *dir = folder(c);
  if (disk_private(c->a, dir))
    return true;
  diag_report_nowhere(c->dg, DIAG_OUTPUT_DIR, dir, strerror(errno));
  return false;
}

static bool save(cli *c, const char *name, const char *path,
                 const identity_file *f) {
  char *text = file_text(f);
  bool ok = text != NULL &&
            disk_put(c->a, path, text, strlen(text), 0600, true);
  int why = errno;
  free(text);
  if (!ok && why == EEXIST)
    diag_report_nowhere(c->dg, DIAG_IDENTITY_EXISTS, name);
  else if (!ok)
    diag_report_nowhere(c->dg, DIAG_OUTPUT_DIR, path, strerror(why));
  return ok;
}

bool identity_create(cli *c, const char *name, uint8_t pub[32],
                     const char **path) {
  identity_file f = {0};
  chi_identity *id = NULL;
  uint8_t seed[32];
  if (!check_name(c, name) || !start_crypto(c))
    return false;
  *path = path_of(c, name);
  if (access(*path, F_OK) == 0) {
    diag_report_nowhere(c->dg, DIAG_IDENTITY_EXISTS, name);
    return false;
  }
  chi_status st = chi_identity_new(&id);
  if (st != CHI_OK) {
    diag_report_nowhere(c->dg, DIAG_SYSTEM, "make a key", chi_status_text(st));
    return false;
  }
  chi_identity_public(id, f.pub);
  chi_identity_seed(id, seed);
  bool ok = make_folder(c) && identity_seal(c, name, &f, seed) &&
            save(c, name, *path, &f);
  sodium_memzero(seed, sizeof seed);
  chi_identity_free(id);
  memcpy(pub, f.pub, 32);
  return ok;
}

bool identity_public(cli *c, const char *name, uint8_t pub[32]) {
  identity_file f = {0};
  bool ok = load(c, name, &f);
  memcpy(pub, f.pub, 32);
  return ok;
}

chi_identity *identity_open(cli *c, const char *name, uint8_t pub[32]) {
  identity_file f = {0};
  chi_identity *id = NULL;
  uint8_t seed[32];
  proc_no_core();
  if (!start_crypto(c) || !load(c, name, &f) ||
      !identity_unseal(c, name, &f, seed))
    return NULL;
  chi_status st = chi_identity_from_seed(&id, seed);
  sodium_memzero(seed, sizeof seed);
  if (st != CHI_OK) {
    diag_report_nowhere(c->dg, DIAG_SYSTEM, "use a key", chi_status_text(st));
    return NULL;
  }
  chi_identity_public(id, pub);
  if (memcmp(pub, f.pub, 32) == 0)
    return id;
  chi_identity_free(id);
  diag_report_nowhere(c->dg, DIAG_IDENTITY_FILE, path_of(c, name),
                      "its seed is not that of its public key");
  return NULL;
}

void identity_everybody(cli *c, people *who) {
  size_t n;
  const char **list = names(c, &n);
  who->closed = true;
  for (size_t i = 0; i < n; i++) {
    identity_file f = {0};
    size_t bytes;
    char *text = disk_read(c->a, path_of(c, list[i]), FILE_MAX, &bytes);
    /* A file that cannot be read is an error of who names it. */
    if (text != NULL && parse(c, text, bytes, &f) &&
        !people_add(who, list[i], f.pub))
      arena_oom_hook();
  }
}
