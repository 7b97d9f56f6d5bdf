/* SPDX-License-Identifier: Apache-2.0 */
/* The classes that the methods are made of. */
#ifndef POWERCTL_AMT_TABLES_H
#define POWERCTL_AMT_TABLES_H

#include "classes/class.h"

extern const struct class class_redirection;    /* AMT_RedirectionService */
extern const struct class class_kvm;            /* CIM_KVMRedirectionSAP */
extern const struct class class_boot_service;   /* CIM_BootService */
extern const struct class class_consent;        /* IPS_OptInService */
extern const struct class class_clock;          /* AMT_TimeSynchronizationService */
extern const struct class class_alarm;          /* IPS_AlarmClockOccurrence */
extern const struct class class_ethernet;       /* AMT_EthernetPortSettings */
extern const struct class class_ipv6;           /* IPS_IPv6PortSettings */
extern const struct class class_wifi_port;      /* CIM_WiFiPort */
extern const struct class class_wifi_profile;   /* CIM_WiFiEndpointSettings */
extern const struct class class_wifi_service;   /* AMT_WiFiPortConfigurationService */
extern const struct class class_8021x_wifi;     /* CIM_IEEE8021xSettings */
extern const struct class class_8021x_wired;    /* IPS_IEEE8021xSettings */
extern const struct class class_8021x_old;      /* AMT_8021XProfile */
extern const struct class class_tls;            /* AMT_TLSSettingData */
extern const struct class class_tls_credential; /* AMT_TLSCredentialContext */
extern const struct class class_tls_collection; /* AMT_TLSProtocolEndpointCollection */
extern const struct class class_certificate;    /* AMT_PublicKeyCertificate */
extern const struct class class_key;            /* AMT_PublicPrivateKeyPair */
extern const struct class class_general;        /* AMT_GeneralSettings */
extern const struct class class_cira;           /* AMT_RemoteAccessService */
extern const struct class class_cira_server;    /* AMT_ManagementPresenceRemoteSAP */
extern const struct class class_cira_policy;    /* AMT_RemoteAccessPolicyRule */
extern const struct class class_cira_applies;   /* AMT_RemoteAccessPolicyAppliesToMPS */
extern const struct class class_proxy;          /* IPS_HTTPProxyAccessPoint */
extern const struct class class_proxy_service;  /* IPS_HTTPProxyService */
extern const struct class class_cira_by_user;   /* AMT_UserInitiatedConnectionService */
extern const struct class class_environment;    /* AMT_EnvironmentDetectionSettingData */
extern const struct class class_power_scheme;   /* AMT_SystemPowerScheme */
extern const struct class class_setting_used;   /* CIM_ElementSettingData */
extern const struct class class_setup;          /* AMT_SetupAndConfigurationService */
extern const struct class class_software;       /* CIM_SoftwareIdentity */
extern const struct class class_screens;        /* IPS_ScreenSettingData */

/* Words that parameters take too; choices_of() makes none of them: they are written out there. */
extern const struct class_word words_consent[];
extern const struct class_word words_wifi_state[];
extern const struct class_word words_link_preference[];
extern const struct class_word words_wifi_authentication[];
extern const struct class_word words_eap[];
extern const struct class_word words_access[];
extern const struct class_word words_realm[];
extern const struct class_word words_networks[];
extern const struct class_word words_user_initiated[];

#endif
