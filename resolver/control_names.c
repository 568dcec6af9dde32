/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>

#include "common/log.h"
#include "common/ready.h"
#include "resolver/control_parts.h"
#include "resolver/state_file.h"

/* What the eyes are told of the names that are served from here on. */
static void note_names(struct control *control, const struct names_snapshot *names, bool restored)
{
	control->facts.table = names;
	control->facts.loader = control->loader;
	control->facts.names = names_count(names);
	control->facts.names_bytes = names_bytes(names);
	control->facts.loaded_ms = monotonic_ms();
	control->facts.restored = restored;
}

static void note_loaded(struct control *control, const struct names_snapshot *names)
{
	control->facts.reloads_ok++;
	note_names(control, names, false);
	log_info("names loaded", "names=%zu bytes=%zu", names_count(names), names_bytes(names));
}

/* Says why names could not be taken up, once for each reason: it is tried again and again. */
static void complain(struct control *control, const struct err *err)
{
	if (strcmp(err->msg, control->last_complaint.msg) != 0)
		log_warning("names not loaded, the last good ones stay", "reason=\"%s\"", err->msg);
	control->last_complaint = *err;
}

/* --- the eyes meanwhile --------------------------------------------------------------------- */

static void *look(void *arg)
{
	struct control *control = arg;
	struct pollfd fds[1 + EYES_FDS_MAX] = {{.fd = control->loaded_fd, .events = POLLIN}};
	int64_t left_ms = 0;

	do {
		size_t n = 1 + eyes_poll(&control->eyes, fds + 1);

		poll(fds, n, left_ms > INT_MAX ? INT_MAX : (int)left_ms);
		control->facts.now_ms = monotonic_ms();
		left_ms = eyes_run(&control->eyes) - control->facts.now_ms;
	} while (!fds[0].revents);
	return NULL;
}

/*
 * To load names may take a second. Until look_end() a thread of its own looks after the eyes, so
 * that who asks is answered; what is told to them (control->facts) stays as it is.
 */
static void look_begin(struct control *control)
{
	control->facts.now_ms = monotonic_ms();
	control->has_looker = pthread_create(&control->looker, NULL, look, control) == 0;
}

static void look_end(struct control *control)
{
	eventfd_t loaded;

	if (!control->has_looker)
		return; /* there was none to be had */
	eventfd_write(control->loaded_fd, 1);
	pthread_join(control->looker, NULL);
	eventfd_read(control->loaded_fd, &loaded);
}

/* --- again ---------------------------------------------------------------------------------- */

/* New names are served: whatever was there before goes. */
static void take_up(struct control *control, struct names_snapshot *names,
		    struct names_snapshot *old, struct names_snapshot *restored)
{
	control->last_complaint = (struct err){0};
	note_loaded(control, names);
	names_free(restored);
	state_names_replaced(&control->state, old, names, monotonic_ms());
	if (restored)
		ready_notify("STATUS=", NULL);
	loader_settle(control->loader);
}

static void reload(struct control *control, const struct load_given *given)
{
	struct names_snapshot *names, *old = atomic_load(&control->publish.current);
	/* A table from the state knows nothing of the loader's places: nothing is made of it. */
	struct names_snapshot *restored = control->facts.restored ? old : NULL;
	struct err err = {0};
	int rc;

	old = restored ? NULL : old;
	look_begin(control);
	if ((rc = watch_arm(&control->watch, monotonic_ms(), &err)) == 0 &&
	    (rc = loader_load(control->loader, old, control->kuma.path ? given : NULL, &names,
			      &err)) == 0)
		publish_exchange(&control->publish, names);
	look_end(control);
	if (rc == 0) {
		take_up(control, names, old, restored);
	} else {
		complain(control, &err);
		control->facts.reloads_failed++;
	}
	if (given->text)
		kuma_took(&control->kuma, rc == 0, monotonic_ms());
	else if (rc < 0)
		watch_retry(&control->watch, monotonic_ms());
}

void control_reload(struct control *control, const struct load_given *given, bool told)
{
	char state[64];

	snprintf(state, sizeof(state), "RELOADING=1\nMONOTONIC_USEC=%lld",
		 (long long)monotonic_ms() * 1000);
	if (told)
		ready_notify(state, NULL);
	reload(control, given);
	if (told)
		ready_notify("READY=1", NULL);
}

/* --- for the first time --------------------------------------------------------------------- */

/* What was kept, in the place of sources that cannot be read for the reason in `err`. */
static int restore(struct control *control, struct names_snapshot **ret_names, struct err *err)
{
	const struct settings *s = control->settings;
	struct err why = {0};
	int rc = s->state_dir ? state_file_read(s->state_dir, &s->load, ret_names, &why) : -ENOENT;

	if (rc == -ENOENT)
		return err->code;
	if (rc < 0) {
		log_warning("the names that were kept are not served", "reason=\"%s\"", why.msg);
		return err->code;
	}
	log_warning(CONTROL_RESTORED, "names=%zu reason=\"%s\"", names_count(*ret_names), err->msg);
	return 0;
}

/* The sources, else what was kept of them, else those without what Kuma says, which is dropped. */
static int load_or_restore(struct control *control, struct load_given *given,
			   struct names_snapshot **ret_names, bool *ret_restored, struct err *err)
{
	bool has_kuma = control->kuma.path != NULL;
	int rc;

	given->is_needed = true;
	rc = loader_load(control->loader, NULL, has_kuma ? given : NULL, ret_names, err);
	*ret_restored = rc < 0 && restore(control, ret_names, err) == 0;
	if (rc == 0 || *ret_restored || !has_kuma)
		return *ret_restored ? 0 : rc;
	given->text = NULL;
	given->is_needed = false;
	return loader_load(control->loader, NULL, given, ret_names, err);
}

/* The first names are there for the workers that are to start. */
static void take_first(struct control *control, struct names_snapshot *names, bool restored,
		       const struct err *why_restored)
{
	publish_init(&control->publish, names, control->readers, control->settings->workers);
	if (restored) {
		note_names(control, names, true);
		control->last_complaint = *why_restored;
		control->facts.reloads_failed++;
		watch_retry(&control->watch, monotonic_ms());
	} else {
		note_loaded(control, names);
		state_names_replaced(&control->state, NULL, names, monotonic_ms());
	}
}

int control_load_first(struct control *control, struct err *err)
{
	const struct settings *s = control->settings;
	struct names_snapshot *names;
	struct load_given given;
	bool restored = false, found;
	int rc;

	if (!(control->loader = loader_new(&s->load)))
		return err_set(err, ENOMEM, "out of memory");
	if ((rc = state_init(&control->state, s->state_dir, err)) < 0 ||
	    (rc = watch_init(&control->watch, s->names, s->n_names, err)) < 0 ||
	    (rc = watch_arm(&control->watch, monotonic_ms(), err)) < 0)
		return rc;
	found = kuma_run_first(&control->kuma, &given);
	look_begin(control);
	rc = load_or_restore(control, &given, &names, &restored, err);
	look_end(control);
	if (found && rc == 0 && !given.text)
		complain(control, err); /* of what Kuma says, without which it went well */
	if (found)
		kuma_took(&control->kuma, given.text && !restored, monotonic_ms());
	if (rc < 0)
		return rc;
	take_first(control, names, restored, err);
	return 0;
}
