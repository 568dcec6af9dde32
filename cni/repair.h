/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * `meshdns-cni repair`: looks at the network namespace of every pod on the node that should have
 * rules, and puts right those that have others or none. It knows of them what the plugin remembers,
 * and, for pods that were started while it was not in the network's configuration, what libcni
 * remembers together with the configuration that is there now.
 */
#ifndef MESHDNS_CNI_REPAIR_H
#define MESHDNS_CNI_REPAIR_H

/* argv[0] is "repair". Returns the exit status: 0 all is right (now), 1 something is not, 2 usage.
 */
int repair_main(int argc, char **argv);

#endif
