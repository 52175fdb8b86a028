// Notes what a process asks of the files of one folder, in its order, so that a test can say what a disk would have of
// them that forgets whatever was written since the last fsync. It changes nothing of what is done.
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>
#include <unistd.h>

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static int notes = -2;

static void *next(const char *name) { return dlsym(RTLD_NEXT, name); }

static int opened(void) {
  if (notes == -2) {
    const char *place = getenv("MILLRACE_DISK_NOTES");
    notes = place == NULL ? -1 : open(place, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
  }
  return notes;
}

static void all(int fd, const void *bytes, size_t length) {
  static ssize_t (*real)(int, const void *, size_t);
  if (real == NULL) real = next("write");
  const char *at = bytes;
  while (length > 0) {
    ssize_t done = real(fd, at, length);
    if (done <= 0) abort();
    at += done;
    length -= (size_t)done;
  }
}

// kind, length of the path, offset or size, length of the bytes; then path and bytes.
struct head { uint32_t kind, path_length; uint64_t offset, length; };

static void note(uint32_t kind, const char *path, uint64_t offset, const void *bytes, size_t length) {
  const char *folder = getenv("MILLRACE_DISK_FOLDER");
  if (folder == NULL || strncmp(path, folder, strlen(folder)) != 0) return;
  struct head head = { kind, (uint32_t)strlen(path), offset, length };
  pthread_mutex_lock(&lock);
  if (opened() >= 0) {
    all(notes, &head, sizeof head);
    all(notes, path, head.path_length);
    if (length > 0) all(notes, bytes, length);
  }
  pthread_mutex_unlock(&lock);
}

static void note_fd(uint32_t kind, int fd, uint64_t offset, const void *bytes, size_t length) {
  if (opened() < 0 || fd == notes) return;
  char link[64], path[4096];
  snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
  ssize_t size = readlink(link, path, sizeof path - 1);
  if (size <= 0) return;
  path[size] = 0;
  note(kind, path, offset, bytes, length);
}

enum { WRITE = 1, SYNC = 2, TRUNCATE = 3, UNLINK = 4 };

ssize_t write(int fd, const void *bytes, size_t length) {
  static ssize_t (*real)(int, const void *, size_t);
  if (real == NULL) real = next("write");
  off_t at = lseek(fd, 0, SEEK_CUR);
  ssize_t done = real(fd, bytes, length);
  if (done > 0 && at >= 0) note_fd(WRITE, fd, (uint64_t)(lseek(fd, 0, SEEK_CUR) - done), bytes, (size_t)done);
  return done;
}

ssize_t pwrite(int fd, const void *bytes, size_t length, off_t offset) {
  static ssize_t (*real)(int, const void *, size_t, off_t);
  if (real == NULL) real = next("pwrite");
  ssize_t done = real(fd, bytes, length, offset);
  if (done > 0) note_fd(WRITE, fd, (uint64_t)offset, bytes, (size_t)done);
  return done;
}

ssize_t pwrite64(int fd, const void *bytes, size_t length, off64_t offset) {
  static ssize_t (*real)(int, const void *, size_t, off64_t);
  if (real == NULL) real = next("pwrite64");
  ssize_t done = real(fd, bytes, length, offset);
  if (done > 0) note_fd(WRITE, fd, (uint64_t)offset, bytes, (size_t)done);
  return done;
}

int fsync(int fd) {
  static int (*real)(int);
  if (real == NULL) real = next("fsync");
  int answer = real(fd);
  if (answer == 0) note_fd(SYNC, fd, 0, NULL, 0);
  return answer;
}

int fdatasync(int fd) {
  static int (*real)(int);
  if (real == NULL) real = next("fdatasync");
  int answer = real(fd);
  if (answer == 0) note_fd(SYNC, fd, 0, NULL, 0);
  return answer;
}

int ftruncate(int fd, off_t size) {
  static int (*real)(int, off_t);
  if (real == NULL) real = next("ftruncate");
  int answer = real(fd, size);
  if (answer == 0) note_fd(TRUNCATE, fd, (uint64_t)size, NULL, 0);
  return answer;
}

int ftruncate64(int fd, off64_t size) {
  static int (*real)(int, off64_t);
  if (real == NULL) real = next("ftruncate64");
  int answer = real(fd, size);
  if (answer == 0) note_fd(TRUNCATE, fd, (uint64_t)size, NULL, 0);
  return answer;
}

int unlink(const char *path) {
  static int (*real)(const char *);
  if (real == NULL) real = next("unlink");
  int answer = real(path);
  if (answer == 0 && opened() >= 0) note(UNLINK, path, 0, NULL, 0);
  return answer;
}
