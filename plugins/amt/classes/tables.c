/* SPDX-License-Identifier: Apache-2.0 */
#include "classes/tables.h"

/* Rows of a service: who it is. */
#define SERVICE_HEAD                     \
	{ .name = "CreationClassName" }, \
	{                                \
		.name = "ElementName"    \
	}
#define SERVICE_TAIL                                               \
	{ .name = "Name" }, { .name = "SystemCreationClassName" }, \
	{                                                          \
		.name = "SystemName"                               \
	}
#define END                  \
	{                    \
		.name = NULL \
	}

/* --- Redirection and consent. ----------------------------------------------------------------- */

static const struct class_field redirection[] = {
	{ .name = "AccessLog", .flags = FIELD_LIST | FIELD_READ_ONLY },
	SERVICE_HEAD,
	{ .name = "EnabledState", .type = FIELD_UINT },
	{ .name = "ListenerEnabled", .type = FIELD_BOOL },
	SERVICE_TAIL,
	END,
};
const struct class class_redirection = CLASS(WSMAN_AMT, "AMT_RedirectionService", redirection);

static const struct class_field kvm[] = {
	SERVICE_HEAD,
	{ .name = "EnabledState", .type = FIELD_UINT },
	END,
};
const struct class class_kvm = CLASS(WSMAN_CIM, "CIM_KVMRedirectionSAP", kvm);

static const struct class_field boot_service[] = {
	SERVICE_HEAD,
	{ .name = "EnabledState", .type = FIELD_UINT },
	END,
};
const struct class class_boot_service = CLASS(WSMAN_CIM, "CIM_BootService", boot_service);

const struct class_word words_consent[] = {
	{ 0, "none" },
	{ 1, "kvm" },
	{ UINT32_MAX, "all" },
	{ 0, NULL },
};

static const struct class_field consent[] = {
	{ .name = "CanModifyOptInPolicy", .key = "consent_changeable", .type = FIELD_BOOL },
	SERVICE_HEAD,
	{ .name = "Name" },
	{ .name = "OptInCodeTimeout" },
	{ .name = "OptInDisplayTimeout" },
	{ .name = "OptInRequired", .key = "consent", .type = FIELD_WORD, .words = words_consent },
	{ .name = "OptInState" },
	{ .name = "SystemCreationClassName" },
	{ .name = "SystemName" },
	END,
};
const struct class class_consent = CLASS(WSMAN_IPS, "IPS_OptInService", consent);

/* --- Time. ------------------------------------------------------------------------------------ */

static const struct class_word time_sources[] = { { 0, "bios" }, { 1, "configured" }, { 0, NULL } };
static const struct class_word local_syncs[] = { { 0, "yes" }, { 1, "yes" }, { 2, "no" },
	{ 0, NULL } };

static const struct class_field clock_fields[] = {
	{ .name = "LocalTimeSyncEnabled",
		.key = "set_by_host",
		.type = FIELD_WORD,
		.words = local_syncs },
	{ .name = "TimeSource", .key = "time_source", .type = FIELD_WORD, .words = time_sources },
	END,
};
const struct class class_clock = CLASS(WSMAN_AMT, "AMT_TimeSynchronizationService", clock_fields);

static const struct class_field alarm_fields[] = {
	{ .name = "InstanceID", .key = "name" },
	{ .name = "StartTime", .key = "at", .type = FIELD_TIME },
	{ .name = "Interval", .key = "every", .type = FIELD_INTERVAL },
	{ .name = "DeleteOnCompletion", .key = "once", .type = FIELD_BOOL },
	END,
};
const struct class class_alarm = CLASS(WSMAN_IPS, "IPS_AlarmClockOccurrence", alarm_fields);

/* --- Network. --------------------------------------------------------------------------------- */

const struct class_word words_link_preference[] = { { 1, "me" }, { 2, "host" }, { 0, NULL } };

static const struct class_field ethernet[] = {
	{ .name = "ConsoleTcpMaxRetransmissions" },
	{ .name = "DHCPEnabled", .key = "dhcp", .type = FIELD_BOOL },
	{ .name = "DefaultGateway", .key = "gateway", .flags = FIELD_OPTIONAL },
	{ .name = "ElementName" },
	{ .name = "IPAddress", .key = "address", .flags = FIELD_OPTIONAL },
	{ .name = "InstanceID" },
	{ .name = "IpSyncEnabled", .key = "follows_host", .type = FIELD_BOOL },
	{ .name = "LinkControl",
		.key = "link_control",
		.type = FIELD_WORD,
		.flags = FIELD_READ_ONLY,
		.words = words_link_preference },
	{ .name = "LinkIsUp", .key = "link", .type = FIELD_BOOL, .flags = FIELD_READ_ONLY },
	{ .name = "LinkPolicy", .flags = FIELD_LIST },
	{ .name = "LinkPreference",
		.key = "link_preference",
		.type = FIELD_WORD,
		.flags = FIELD_READ_ONLY,
		.words = words_link_preference },
	{ .name = "MACAddress", .key = "mac", .type = FIELD_MAC, .flags = FIELD_READ_ONLY },
	{ .name = "PhysicalConnectionType", .flags = FIELD_READ_ONLY },
	{ .name = "PhysicalNicMedium", .flags = FIELD_READ_ONLY },
	{ .name = "PrimaryDNS", .key = "dns", .flags = FIELD_OPTIONAL },
	{ .name = "SecondaryDNS", .key = "dns2", .flags = FIELD_OPTIONAL },
	{ .name = "SharedDynamicIP", .type = FIELD_BOOL, .flags = FIELD_READ_ONLY },
	{ .name = "SharedMAC", .type = FIELD_BOOL },
	{ .name = "SharedStaticIp", .type = FIELD_BOOL },
	{ .name = "SubnetMask", .key = "mask", .flags = FIELD_OPTIONAL },
	{ .name = "WLANLinkProtectionLevel", .flags = FIELD_READ_ONLY },
	END,
};
const struct class class_ethernet = CLASS(WSMAN_AMT, "AMT_EthernetPortSettings", ethernet);

/* From AMT 6 on. What is in use, and what is fixed beside what routers say; "::" is none. */
static const struct class_field ipv6[] = {
	{ .name = "CurrentAddressInfo", .flags = FIELD_LIST | FIELD_READ_ONLY },
	{ .name = "CurrentDefaultRouter", .key = "gateway", .flags = FIELD_READ_ONLY },
	{ .name = "CurrentPrimaryDNS", .key = "dns", .flags = FIELD_READ_ONLY },
	{ .name = "CurrentSecondaryDNS", .key = "dns2", .flags = FIELD_READ_ONLY },
	{ .name = "DefaultRouter", .key = "fixed_gateway" },
	{ .name = "ElementName" },
	{ .name = "IPv6Address", .key = "fixed_address" },
	{ .name = "InstanceID" },
	{ .name = "InterfaceIDType" },
	{ .name = "ManualInterfaceID" },
	{ .name = "PrimaryDNS", .key = "fixed_dns" },
	{ .name = "SecondaryDNS", .key = "fixed_dns2" },
	END,
};
const struct class class_ipv6 = CLASS(WSMAN_IPS, "IPS_IPv6PortSettings", ipv6);

const struct class_word words_wifi_state[] = {
	{ 3, "off" },
	{ 32768, "s0" },
	{ 32769, "s0-sx" },
	{ 0, NULL },
};

static const struct class_field wifi_port[] = {
	{ .name = "EnabledState", .key = "state", .type = FIELD_WORD, .words = words_wifi_state },
	END,
};
const struct class class_wifi_port = CLASS(WSMAN_CIM, "CIM_WiFiPort", wifi_port);

const struct class_word words_wifi_authentication[] = {
	{ 4, "wpa-psk" },
	{ 5, "wpa-802.1x" },
	{ 6, "wpa2-psk" },
	{ 7, "wpa2-802.1x" },
	{ 32768, "wpa3-sae" },
	{ 32769, "wpa3-owe" },
	{ 0, NULL },
};
static const struct class_word encryptions[] = {
	{ 2, "wep" },
	{ 3, "tkip" },
	{ 4, "ccmp" },
	{ 5, "none" },
	{ 0, NULL },
};

/* In the order of AddWiFiSettings, which has them nested. */
static const struct class_field wifi_profile[] = {
	{ .name = "ElementName", .key = "name" },
	{ .name = "InstanceID" },
	{ .name = "AuthenticationMethod",
		.key = "authentication",
		.type = FIELD_WORD,
		.words = words_wifi_authentication },
	{ .name = "EncryptionMethod",
		.key = "encryption",
		.type = FIELD_WORD,
		.words = encryptions },
	{ .name = "SSID", .key = "ssid" },
	{ .name = "Priority", .key = "priority", .type = FIELD_UINT },
	{ .name = "PSKPassPhrase", .flags = FIELD_WRITE_ONLY },
	END,
};
const struct class class_wifi_profile = CLASS(WSMAN_CIM, "CIM_WiFiEndpointSettings", wifi_profile);

static const struct class_word profile_syncs[] = { { 0, "off" }, { 1, "user" }, { 3, "all" },
	{ 0, NULL } };
static const struct class_field wifi_service[] = {
	{ .name = "LastConnectedSsidUnderMeControl", .key = "last_ssid" },
	{ .name = "localProfileSynchronizationEnabled",
		.key = "profile_sync",
		.type = FIELD_WORD,
		.words = profile_syncs },
	{ .name = "UEFIWiFiProfileShareEnabled", .key = "uefi_sharing", .type = FIELD_BOOL },
	END,
};
const struct class class_wifi_service =
	CLASS(WSMAN_AMT, "AMT_WiFiPortConfigurationService", wifi_service);

/* --- 802.1X. ---------------------------------------------------------------------------------- */

const struct class_word words_eap[] = {
	{ 0, "eap-tls" },
	{ 1, "eap-ttls" },
	{ 2, "peap" },
	{ 3, "peap-gtc" },
	{ 4, "eap-fast" },
	{ 5, "eap-fast-gtc" },
	{ 6, "eap-md5" },
	{ 7, "eap-psk" },
	{ 8, "eap-sim" },
	{ 9, "eap-aka" },
	{ 10, "eap-fast-tls" },
	{ 0, NULL },
};
#define EAP_METHOD(is)                                                             \
	{                                                                          \
		.name = "AuthenticationProtocol", .key = (is), .type = FIELD_WORD, \
		.words = words_eap                                                 \
	}
#define EAP_NAMES                                                     \
	{ .name = "Username", .key = "identity" },                    \
	{                                                             \
		.name = "ServerCertificateName", .key = "server_name" \
	}

static const struct class_field eap_wifi[] = {
	{ .name = "ElementName", .key = "name" },
	{ .name = "InstanceID", .key = "id" },
	EAP_METHOD("eap"),
	EAP_NAMES,
	END,
};
const struct class class_8021x_wifi = CLASS(WSMAN_CIM, "CIM_IEEE8021xSettings", eap_wifi);

static const struct class_word eap_enabled[] = { { 2, "on" }, { 3, "off" }, { 6, "on" },
	{ 0, NULL } };
static const struct class_field eap_wired[] = {
	{ .name = "ElementName", .key = "element" },
	{ .name = "InstanceID", .key = "id" },
	EAP_METHOD("method"),
	EAP_NAMES,
	{ .name = "Enabled", .key = "enabled", .type = FIELD_WORD, .words = eap_enabled },
	{ .name = "PxeTimeout", .key = "pxe_timeout", .type = FIELD_UINT },
	{ .name = "AvailableInS0", .key = "in_s0" },
	END,
};
const struct class class_8021x_wired = CLASS(WSMAN_IPS, "IPS_IEEE8021xSettings", eap_wired);

static const struct class_field eap_old[] = {
	{ .name = "ElementName", .key = "element" },
	{ .name = "InstanceID", .key = "id" },
	{ .name = "Enabled", .key = "enabled" },
	{ .name = "ActiveInS0", .key = "in_s0" },
	EAP_METHOD("method"),
	EAP_NAMES,
	{ .name = "PxeTimeout", .key = "pxe_timeout", .type = FIELD_UINT },
	END,
};
const struct class class_8021x_old = CLASS(WSMAN_AMT, "AMT_8021XProfile", eap_old);

/* --- TLS and certificates. -------------------------------------------------------------------- */

static const struct class_field tls[] = {
	{ .name = "AcceptNonSecureConnections", .key = "plain", .type = FIELD_BOOL },
	{ .name = "ElementName" },
	{ .name = "Enabled", .key = "enabled", .type = FIELD_BOOL },
	{ .name = "InstanceID" },
	{ .name = "MutualAuthentication", .key = "mutual", .type = FIELD_BOOL },
	{ .name = "NonSecureConnectionsSupported",
		.key = "plain_supported",
		.type = FIELD_BOOL,
		.flags = FIELD_READ_ONLY },
	{ .name = "TrustedCN", .key = "trusted_names", .flags = FIELD_LIST | FIELD_OPTIONAL },
	{ .name = "ValidCertCN", .flags = FIELD_READ_ONLY },
	END,
};
const struct class class_tls = CLASS(WSMAN_AMT, "AMT_TLSSettingData", tls);

static const struct class_field tls_credential[] = {
	{ .name = "ElementInContext", .key = "certificate", .type = FIELD_REFERENCE },
	{ .name = "ElementProvidingContext" },
	END,
};
const struct class class_tls_credential =
	CLASS(WSMAN_AMT, "AMT_TLSCredentialContext", tls_credential);

static const struct class_field tls_collection[] = { { .name = "ElementName" }, END };
const struct class class_tls_collection =
	CLASS(WSMAN_AMT, "AMT_TLSProtocolEndpointCollection", tls_collection);

/* The firmware's own spelling, and what it may be corrected to. */
static const struct class_field certificate[] = {
	{ .name = "InstanceID", .key = "id" },
	{ .name = "Subject", .key = "subject" },
	{ .name = "Issuer", .key = "issuer" },
	{ .name = "TrustedRootCertficate", .key = "trusted_root", .type = FIELD_BOOL },
	{ .name = "TrustedRootCertificate", .key = "trusted_root", .type = FIELD_BOOL },
	{ .name = "ReadOnlyCertificate", .key = "read_only", .type = FIELD_BOOL },
	END,
};
const struct class class_certificate = CLASS(WSMAN_AMT, "AMT_PublicKeyCertificate", certificate);

static const struct class_field key_pair[] = { { .name = "InstanceID", .key = "id" }, END };
const struct class class_key = CLASS(WSMAN_AMT, "AMT_PublicPrivateKeyPair", key_pair);

/* --- Users. ----------------------------------------------------------------------------------- */

/* A Put leaves nothing out. */
static const struct class_field general[] = {
	{ .name = "DDNSUpdateEnabled", .key = "dns_update", .type = FIELD_BOOL },
	{ .name = "DigestRealm" },
	{ .name = "DomainName", .key = "domain" },
	{ .name = "HostName", .key = "hostname" },
	{ .name = "HostOSFQDN", .key = "os_name" },
	{ .name = "PingResponseEnabled", .key = "ping", .type = FIELD_BOOL },
	{ .name = "RmcpPingResponseEnabled", .key = "rmcp_ping", .type = FIELD_BOOL },
	{ .name = "SharedFQDN", .key = "shared_name", .type = FIELD_BOOL },
	END,
};
const struct class class_general = CLASS(WSMAN_AMT, "AMT_GeneralSettings", general);

const struct class_word words_access[] = {
	{ 0, "local" },
	{ 1, "network" },
	{ 2, "any" },
	{ 0, NULL },
};

const struct class_word words_realm[] = {
	{ 2, "redirection" },
	{ 3, "admin" },
	{ 4, "hardware" },
	{ 5, "remote-control" },
	{ 6, "storage" },
	{ 7, "event-manager" },
	{ 8, "storage-admin" },
	{ 9, "agent-local" },
	{ 10, "agent-remote" },
	{ 11, "circuit-breaker" },
	{ 12, "network-time" },
	{ 13, "general-info" },
	{ 14, "firmware-update" },
	{ 15, "eit" },
	{ 16, "local-notification" },
	{ 17, "eac" },
	{ 18, "eac-admin" },
	{ 19, "event-log" },
	{ 20, "audit-log" },
	{ 21, "users" },
	{ 24, "local-system" },
	{ 0, NULL },
};

/* --- Connections that the device opens itself. ------------------------------------------------ */

static const struct class_field cira[] = {
	{ .name = "IsRemoteTunnelConnected", .key = "connected", .type = FIELD_BOOL },
	END,
};
const struct class class_cira = CLASS(WSMAN_AMT, "AMT_RemoteAccessService", cira);

static const struct class_field cira_server[] = {
	{ .name = "AccessInfo", .key = "address" },
	{ .name = "CN", .key = "certificate_name" },
	{ .name = "Name", .key = "name" },
	{ .name = "Port", .key = "port", .type = FIELD_UINT },
	END,
};
const struct class class_cira_server =
	CLASS(WSMAN_AMT, "AMT_ManagementPresenceRemoteSAP", cira_server);

static const struct class_word triggers[] = {
	{ 0, "user" },
	{ 1, "alert" },
	{ 2, "periodic" },
	{ 3, "provisioning" },
	{ 0, NULL },
};
static const struct class_field cira_policy[] = {
	{ .name = "PolicyRuleName", .key = "name" },
	{ .name = "Trigger", .key = "trigger", .type = FIELD_WORD, .words = triggers },
	{ .name = "TunnelLifeTime", .key = "lifetime", .type = FIELD_UINT },
	END,
};
const struct class class_cira_policy = CLASS(WSMAN_AMT, "AMT_RemoteAccessPolicyRule", cira_policy);

const struct class_word words_networks[] = {
	{ 0, "outside" },
	{ 1, "inside" },
	{ 2, "both" },
	{ 0, NULL },
};
static const struct class_field cira_applies[] = {
	{ .name = "ManagedElement" },
	{ .name = "MpsType", .key = "networks", .type = FIELD_WORD, .words = words_networks },
	{ .name = "OrderOfAccess", .key = "order", .type = FIELD_UINT },
	{ .name = "PolicySet" },
	END,
};
const struct class class_cira_applies =
	CLASS(WSMAN_AMT, "AMT_RemoteAccessPolicyAppliesToMPS", cira_applies);

static const struct class_field proxy[] = {
	{ .name = "AccessInfo", .key = "address" },
	{ .name = "Port", .key = "port", .type = FIELD_UINT },
	{ .name = "NetworkDnsSuffix", .key = "suffix" },
	{ .name = "Name", .key = "name" },
	END,
};
const struct class class_proxy = CLASS(WSMAN_IPS, "IPS_HTTPProxyAccessPoint", proxy);

static const struct class_field proxy_service[] = {
	{ .name = "SyncEnabled", .key = "proxy_sync", .type = FIELD_BOOL },
	END,
};
const struct class class_proxy_service = CLASS(WSMAN_IPS, "IPS_HTTPProxyService", proxy_service);

const struct class_word words_user_initiated[] = {
	{ 32768, "off" },
	{ 32769, "bios" },
	{ 32770, "os" },
	{ 32771, "both" },
	{ 0, NULL },
};
static const struct class_field cira_by_user[] = {
	{ .name = "EnabledState",
		.key = "by_user",
		.type = FIELD_WORD,
		.words = words_user_initiated },
	END,
};
const struct class class_cira_by_user =
	CLASS(WSMAN_AMT, "AMT_UserInitiatedConnectionService", cira_by_user);

static const struct class_field environment[] = {
	{ .name = "DetectionAlgorithm" },
	{ .name = "DetectionStrings", .key = "detection", .flags = FIELD_LIST | FIELD_OPTIONAL },
	{ .name = "ElementName" },
	{ .name = "InstanceID" },
	END,
};
const struct class class_environment =
	CLASS(WSMAN_AMT, "AMT_EnvironmentDetectionSettingData", environment);

/* --- Power packages, setup. ------------------------------------------------------------------- */

static const struct class_field power_scheme[] = {
	{ .name = "InstanceID", .key = "id" },
	{ .name = "Description", .key = "description" },
	END,
};
const struct class class_power_scheme = CLASS(WSMAN_AMT, "AMT_SystemPowerScheme", power_scheme);

static const struct class_field setting_used[] = { { .name = "IsCurrent" }, END };
const struct class class_setting_used = CLASS(WSMAN_CIM, "CIM_ElementSettingData", setting_used);

static const struct class_word provisioning_modes[] = { { 1, "acm" }, { 4, "ccm" }, { 0, NULL } };
static const struct class_field setup[] = {
	{ .name = "ProvisioningMode",
		.key = "control_mode",
		.type = FIELD_WORD,
		.words = provisioning_modes },
	END,
};
const struct class class_setup = CLASS(WSMAN_AMT, "AMT_SetupAndConfigurationService", setup);

/* --- What is only looked at. ------------------------------------------------------------------ */

static const struct class_field software[] = {
	{ .name = "InstanceID", .key = "id" },
	{ .name = "VersionString", .key = "version" },
	END,
};
const struct class class_software = CLASS(WSMAN_CIM, "CIM_SoftwareIdentity", software);

static const struct class_field screens[] = {
	{ .name = "IsActive", .key = "active", .type = FIELD_BOOL, .flags = FIELD_LIST },
	END,
};
const struct class class_screens = CLASS(WSMAN_IPS, "IPS_ScreenSettingData", screens);
